-- What each tenant keeps on the disk, and may keep, in bytes. The sum over a tenant's jobs is counted as its queued jobs
-- are, because each submission asks for it. Open uploads are summed when it is asked for: there are few of them.

-- Of the source, and of what the job's end and requests for videos and other forms of the result have added. 0 once the
-- job is purged. Of jobs from before this there was only the source's to be known.
ALTER TABLE jobs ADD COLUMN stored_bytes bigint NOT NULL DEFAULT 0;

UPDATE jobs SET stored_bytes = coalesce(substring(source FROM '"bytes":\s*([0-9]{1,18})')::bigint, 0)
WHERE purged_at IS NULL;

ALTER TABLE tenants ADD COLUMN stored_limit bigint;  -- NULL: none
ALTER TABLE tenant_counts ADD COLUMN stored bigint NOT NULL DEFAULT 0;

INSERT INTO tenant_counts (tenant, slot, queued, running, stored)
SELECT tenant, 0, 0, 0, sum(stored_bytes) FROM jobs WHERE stored_bytes <> 0 GROUP BY tenant
ON CONFLICT (tenant, slot) DO UPDATE SET stored = excluded.stored;

CREATE OR REPLACE FUNCTION count_job() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    own integer := pg_backend_pid() & 31;
    before text;
    after text;
    of_tenant text;
    more_bytes bigint := 0;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        before := OLD.status;
        of_tenant := OLD.tenant;
        more_bytes := -OLD.stored_bytes;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        after := NEW.status;
        of_tenant := NEW.tenant;
        more_bytes := more_bytes + NEW.stored_bytes;
    END IF;

    IF before IS DISTINCT FROM after THEN
        -- In the order of the states, so that two sessions with the same slot do not lock each other out.
        INSERT INTO job_counts AS known (status, slot, count)
        SELECT change.status, own, change.count FROM (VALUES (before, -1), (after, 1)) AS change (status, count)
        WHERE change.status IS NOT NULL ORDER BY change.status
        ON CONFLICT (status, slot) DO UPDATE SET count = known.count + excluded.count;
    END IF;

    IF more_bytes <> 0
        OR before IS DISTINCT FROM after AND (before IN ('queued', 'running') OR after IN ('queued', 'running'))
    THEN
        INSERT INTO tenant_counts AS known (tenant, slot, queued, running, stored)
        VALUES (
            of_tenant, own,
            (after IS NOT DISTINCT FROM 'queued')::integer - (before IS NOT DISTINCT FROM 'queued')::integer,
            (after IS NOT DISTINCT FROM 'running')::integer - (before IS NOT DISTINCT FROM 'running')::integer,
            more_bytes)
        ON CONFLICT (tenant, slot) DO UPDATE SET
            queued = known.queued + excluded.queued, running = known.running + excluded.running,
            stored = known.stored + excluded.stored;
    END IF;

    IF TG_OP = 'UPDATE' AND before IS DISTINCT FROM after THEN
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

DROP TRIGGER jobs_counted ON jobs;
CREATE TRIGGER jobs_counted AFTER UPDATE OF status, stored_bytes ON jobs
FOR EACH ROW WHEN (NEW.status <> OLD.status OR NEW.stored_bytes <> OLD.stored_bytes) EXECUTE FUNCTION count_job();
