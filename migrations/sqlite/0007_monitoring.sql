-- What monitoring asks for, each answered without looking through the jobs.

-- The trace that a job was submitted in (W3C Trace Context), for the log.
ALTER TABLE jobs ADD COLUMN trace_id TEXT;

-- The first entry is the job that has been queued the longest.
CREATE INDEX jobs_queued_by_age ON jobs (created_at) WHERE status = 'queued';

-- How many jobs have ended, deleted ones included; `code` is '' where they have not failed.
CREATE TABLE job_endings (
    status TEXT NOT NULL,
    code TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (status, code)
) STRICT, WITHOUT ROWID;

INSERT INTO job_endings (status, code, count)
SELECT status, coalesce(json_extract(failure, '$.code'), ''), count(*) FROM jobs
WHERE status IN ('succeeded', 'failed', 'canceled') GROUP BY 1, 2;

CREATE TRIGGER jobs_ended AFTER UPDATE OF status ON jobs
WHEN NEW.status IN ('succeeded', 'failed', 'canceled') AND OLD.status NOT IN ('succeeded', 'failed', 'canceled') BEGIN
    INSERT INTO job_endings (status, code, count)
    VALUES (NEW.status, coalesce(json_extract(NEW.failure, '$.code'), ''), 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
