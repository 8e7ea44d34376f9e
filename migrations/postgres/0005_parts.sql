-- Shares of running jobs' targets, which the worker that leads a job offers to others. Times are milliseconds since
-- 1970-01-01T00:00:00Z.

CREATE TABLE job_parts (
    job_id uuid NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number integer NOT NULL,
    first_target integer NOT NULL,
    end_target integer NOT NULL,   -- left out
    attempt integer NOT NULL DEFAULT 0,
    frames_done bigint NOT NULL DEFAULT 0,
    result_key text,               -- once it is done
    lease_owner text,
    lease_token text COLLATE "C",
    lease_expires_at bigint,
    PRIMARY KEY (job_id, number),
    CHECK (first_target < end_target),
    CHECK (result_key IS NULL OR lease_token IS NULL)
);

-- The parts to claim are this index's first entries.
CREATE INDEX job_parts_undone ON job_parts (job_id, number) WHERE result_key IS NULL;

-- A row lives no longer than the lease of the job that it was offered under.
CREATE FUNCTION drop_parts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM job_parts WHERE job_id = OLD.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER job_parts_job_lost_lease AFTER UPDATE OF lease_token ON jobs
FOR EACH ROW WHEN (OLD.lease_token IS NOT NULL AND NEW.lease_token IS DISTINCT FROM OLD.lease_token)
EXECUTE FUNCTION drop_parts();
