-- Shares of running jobs' targets, which the worker that leads a job offers to others. Times are milliseconds since
-- 1970-01-01T00:00:00Z.

CREATE TABLE job_parts (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    first_target INTEGER NOT NULL,
    end_target INTEGER NOT NULL,   -- left out
    attempt INTEGER NOT NULL DEFAULT 0,
    frames_done INTEGER NOT NULL DEFAULT 0,
    result_key TEXT,               -- once it is done
    lease_owner TEXT,
    lease_token TEXT,
    lease_expires_at INTEGER,
    PRIMARY KEY (job_id, number),
    CHECK (first_target < end_target),
    CHECK (result_key IS NULL OR lease_token IS NULL)
) STRICT, WITHOUT ROWID;

-- The parts to claim are this index's first entries.
CREATE INDEX job_parts_undone ON job_parts (job_id, number) WHERE result_key IS NULL;

-- A row lives no longer than the lease of the job that it was offered under.
CREATE TRIGGER job_parts_job_lost_lease AFTER UPDATE OF lease_token ON jobs
WHEN OLD.lease_token IS NOT NULL AND NEW.lease_token IS NOT OLD.lease_token BEGIN
    DELETE FROM job_parts WHERE job_id = OLD.id;
END;
