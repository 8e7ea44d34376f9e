-- Who has to be called back because a job has ended, and what was tried. Times are milliseconds since
-- 1970-01-01T00:00:00Z.

CREATE TABLE deliveries (
    id uuid PRIMARY KEY,           -- UUIDv7: the webhook-id
    job_id uuid NOT NULL UNIQUE REFERENCES jobs (id) ON DELETE CASCADE,  -- a job ends once
    tenant text COLLATE "C" NOT NULL,
    event text NOT NULL,
    url text NOT NULL,
    host text COLLATE "C" NOT NULL,  -- of the URL, so that a slow one holds up no other
    secret text,                   -- of the job; NULL: the service's
    payload bytea NOT NULL,        -- the body of every attempt
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    created_at bigint NOT NULL,
    due_at bigint,                 -- of the next attempt; while it is claimed, the end of the lease
    finished_at bigint,
    lease_token text COLLATE "C",
    CHECK ((state = 'pending') = (due_at IS NOT NULL)),
    CHECK ((state = 'pending') = (finished_at IS NULL))
);

-- A lane is what a tenant has pending for a host; its first delivery is this index's first entry for it.
CREATE INDEX deliveries_lane ON deliveries (tenant, host, due_at, id) WHERE state = 'pending';
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'pending';
CREATE INDEX deliveries_tokens ON deliveries (lease_token) WHERE lease_token IS NOT NULL;
CREATE INDEX deliveries_pending_by_age ON deliveries (created_at) WHERE state = 'pending';

CREATE TABLE delivery_attempts (
    delivery_id uuid NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    number integer NOT NULL,
    started_at bigint NOT NULL,
    milliseconds bigint NOT NULL,
    status integer,                -- of the answer, where there was one
    error text,                    -- NULL where it is a success
    PRIMARY KEY (delivery_id, number)
);

-- The number of each tenant's last claim, as for jobs.
CREATE TABLE delivery_turns (
    tenant text COLLATE "C" PRIMARY KEY,
    served bigint NOT NULL
) WITH (fillfactor = 50);

-- Takes the next delivery: of the tenant that was served longest ago, among equals and of its own the one that has been
-- due for the longest. Like a claim of a job, one after another and without waiting for the disk: what a crash undoes
-- is sent again.
CREATE FUNCTION claim_delivery(
    given_now bigint, token text, lease_milliseconds bigint, busy_hosts text[], busy_tenants text[]
) RETURNS SETOF deliveries LANGUAGE plpgsql AS $$
DECLARE
    now_is bigint := coalesce(given_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
    lane record;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM deliveries WHERE state = 'pending' AND due_at <= now_is)
        AND NOT EXISTS (SELECT 1 FROM deliveries WHERE lease_token = token)
    THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('lktrack.deliveries'), hashtext(current_schema()));
    RETURN QUERY SELECT * FROM deliveries WHERE lease_token = token;
    IF FOUND THEN
        RETURN;
    END IF;
    PERFORM set_config('synchronous_commit', 'off', true);
    FOR lane IN
        -- Steps from lane to lane along their index, however many deliveries wait in each.
        WITH RECURSIVE lanes (tenant, host, due_at) AS (
            (
                SELECT tenant, host, due_at FROM deliveries WHERE state = 'pending'
                ORDER BY tenant, host, due_at LIMIT 1
            )
            UNION ALL
            SELECT next.tenant, next.host, next.due_at FROM lanes CROSS JOIN LATERAL (
                SELECT deliveries.tenant, deliveries.host, deliveries.due_at FROM deliveries
                WHERE state = 'pending' AND (deliveries.tenant, deliveries.host) > (lanes.tenant, lanes.host)
                ORDER BY deliveries.tenant, deliveries.host, deliveries.due_at LIMIT 1
            ) AS next
        )
        SELECT lanes.tenant, lanes.host FROM lanes LEFT JOIN delivery_turns ON delivery_turns.tenant = lanes.tenant
        WHERE lanes.due_at <= now_is AND lanes.host <> ALL (busy_hosts) AND lanes.tenant <> ALL (busy_tenants)
        ORDER BY coalesce(delivery_turns.served, 0), lanes.due_at
    LOOP
        RETURN QUERY
        UPDATE deliveries SET attempts = attempts + 1, lease_token = token, due_at = now_is + lease_milliseconds
        WHERE id = (
            SELECT id FROM deliveries
            WHERE state = 'pending' AND tenant = lane.tenant AND host = lane.host AND due_at <= now_is
            ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING *;
        IF FOUND THEN
            INSERT INTO delivery_turns (tenant, served) VALUES (lane.tenant, nextval('claim_numbers'))
            ON CONFLICT (tenant) DO UPDATE SET served = excluded.served;
            RETURN;
        END IF;
    END LOOP;
END
$$;

-- How many are pending, and how many have ended, those of deleted jobs included; counted as jobs are.
CREATE TABLE delivery_counts (
    state text COLLATE "C" NOT NULL,
    slot integer NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (state, slot)
) WITH (fillfactor = 50);

CREATE FUNCTION count_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    own integer := pg_backend_pid() & 31;
    before text;
    after text;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state = 'pending' THEN
        before := OLD.state;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        after := NEW.state;
    END IF;
    INSERT INTO delivery_counts AS known (state, slot, count)
    SELECT change.state, own, change.count FROM (VALUES (after, 1), (before, -1)) AS change (state, count)
    WHERE change.state IS NOT NULL ORDER BY change.state
    ON CONFLICT (state, slot) DO UPDATE SET count = known.count + excluded.count;
    RETURN NULL;
END
$$;

CREATE TRIGGER deliveries_counted_in_and_out AFTER INSERT OR DELETE ON deliveries
FOR EACH ROW EXECUTE FUNCTION count_delivery();
CREATE TRIGGER deliveries_counted AFTER UPDATE OF state ON deliveries
FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION count_delivery();
