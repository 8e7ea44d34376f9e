-- The installation whose jobs this database takes over from another one (`lktrack migrate`), where it does, or did.

CREATE TABLE takeover (
    source text NOT NULL,          -- the installation's name
    state text NOT NULL CHECK (state IN ('copying', 'finished', 'undone')),
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only)
);

-- Stops all but the one who copies, also servers that were there before; for triggers that are there as long as it copies.
CREATE FUNCTION refuse_during_takeover() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('lktrack.takeover', true) IS DISTINCT FROM (SELECT source FROM takeover) THEN
        RAISE EXCEPTION
            'this database takes over the jobs of another installation; stop this process until `lktrack migrate` is done';
    END IF;
    RETURN NULL;
END
$$;
