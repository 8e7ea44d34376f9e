-- Jobs, their queue and their leases. Times are milliseconds since 1970-01-01T00:00:00Z.

CREATE TABLE jobs (
    id uuid PRIMARY KEY,           -- UUIDv7: sorts by the time of submission
    tenant text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'canceled')),
    priority integer NOT NULL DEFAULT 0,
    spec text NOT NULL,            -- JSON, every default filled in
    source text NOT NULL,          -- JSON
    has_webhook boolean NOT NULL,  -- whether the spec has one
    created_at bigint NOT NULL,
    deadline_at bigint,            -- when the spec's `deadline_seconds` are over, counted from the submission
    started_at bigint,             -- of the last attempt
    finished_at bigint,
    expires_at bigint,             -- when source and results go
    purged_at bigint,              -- when they went
    attempt integer NOT NULL DEFAULT 0,
    cancel_requested boolean NOT NULL DEFAULT false,
    frames_done bigint NOT NULL DEFAULT 0,
    frames_total bigint,
    frames_per_second double precision NOT NULL DEFAULT 0,
    failure text,                  -- JSON
    failure_code text,             -- of the failure
    result_key text,
    video_key text,
    revision bigint NOT NULL DEFAULT 1,
    trace_id text,                 -- W3C Trace Context, for the log
    lease_owner text,
    lease_token text COLLATE "C",
    lease_expires_at bigint,
    ended_token text COLLATE "C",  -- the lease that published the end: tells a worker that lost the answer that it did
    CHECK ((status = 'running') = (lease_token IS NOT NULL))
);

-- A tenant's next job is this index's first entry for it.
CREATE INDEX jobs_queue ON jobs (tenant, priority DESC, id) WHERE status = 'queued';
CREATE INDEX jobs_queued_by_age ON jobs (created_at) WHERE status = 'queued';
CREATE INDEX jobs_deadlines ON jobs (deadline_at) WHERE status = 'queued' AND deadline_at IS NOT NULL;
-- All that run, which are few. Not by the lease's end: heartbeats, which move it, then touch no index at all.
CREATE INDEX jobs_running ON jobs (tenant) WHERE status = 'running';
CREATE INDEX jobs_tokens ON jobs (lease_token) WHERE lease_token IS NOT NULL;
CREATE INDEX jobs_of_tenant ON jobs (tenant, id);
CREATE INDEX jobs_of_tenant_in_status ON jobs (tenant, status, id);
CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL AND purged_at IS NULL;
CREATE INDEX jobs_purged ON jobs (purged_at) WHERE purged_at IS NOT NULL;

CREATE TABLE job_labels (
    job_id uuid NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    tenant text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,  -- of the job, so that a list by both goes by one index
    PRIMARY KEY (job_id, name)
);

CREATE INDEX job_labels_by_value ON job_labels (tenant, name, value, job_id);
CREATE INDEX job_labels_by_status ON job_labels (tenant, name, value, status, job_id);

-- How many there are. A row for each count would be locked until its transaction is on the disk, and all submissions
-- would stand in one line: each session counts in a row of its own (its process number's last bits); the sum is told.

CREATE TABLE job_counts (
    status text COLLATE "C" NOT NULL,
    slot integer NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (status, slot)
) WITH (fillfactor = 50);

CREATE TABLE tenant_counts (
    tenant text COLLATE "C" NOT NULL,
    slot integer NOT NULL,
    queued bigint NOT NULL,
    running bigint NOT NULL,
    PRIMARY KEY (tenant, slot)
) WITH (fillfactor = 50);

-- Jobs that have ended, deleted ones included; `code` is '' where they have not failed.
CREATE TABLE job_endings (
    status text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    slot integer NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (status, code, slot)
) WITH (fillfactor = 50);

CREATE FUNCTION count_job() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    own integer := pg_backend_pid() & 31;
    before text;
    after text;
    of_tenant text;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        before := OLD.status;
        of_tenant := OLD.tenant;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        after := NEW.status;
        of_tenant := NEW.tenant;
    END IF;
    IF before = after THEN
        RETURN NULL;
    END IF;

    -- In the order of the states, so that two sessions with the same slot do not lock each other out.
    INSERT INTO job_counts AS known (status, slot, count)
    SELECT change.status, own, change.count FROM (VALUES (before, -1), (after, 1)) AS change (status, count)
    WHERE change.status IS NOT NULL ORDER BY change.status
    ON CONFLICT (status, slot) DO UPDATE SET count = known.count + excluded.count;

    IF before IN ('queued', 'running') OR after IN ('queued', 'running') THEN
        INSERT INTO tenant_counts AS known (tenant, slot, queued, running)
        VALUES (
            of_tenant, own,
            (after IS NOT DISTINCT FROM 'queued')::integer - (before IS NOT DISTINCT FROM 'queued')::integer,
            (after IS NOT DISTINCT FROM 'running')::integer - (before IS NOT DISTINCT FROM 'running')::integer)
        ON CONFLICT (tenant, slot) DO UPDATE SET
            queued = known.queued + excluded.queued, running = known.running + excluded.running;
    END IF;

    IF TG_OP = 'UPDATE' THEN
        UPDATE job_labels SET status = NEW.status WHERE job_id = NEW.id;
        IF NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL THEN
            INSERT INTO job_endings AS known (status, code, slot, count)
            VALUES (NEW.status, coalesce(NEW.failure_code, ''), own, 1)
            ON CONFLICT (status, code, slot) DO UPDATE SET count = known.count + 1;
        END IF;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER jobs_counted_in_and_out AFTER INSERT OR DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION count_job();
CREATE TRIGGER jobs_counted AFTER UPDATE OF status ON jobs
FOR EACH ROW WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION count_job();
