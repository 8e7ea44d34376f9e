-- When a job's `deadline_seconds` are over, counted from its submission.

ALTER TABLE jobs ADD COLUMN deadline_at INTEGER GENERATED ALWAYS AS
    (created_at + CAST(round(1000 * json_extract(spec, '$.deadline_seconds')) AS INTEGER)) VIRTUAL;

-- The queued jobs that are overdue are this index's first entries.
CREATE INDEX jobs_deadlines ON jobs (deadline_at) WHERE status = 'queued' AND deadline_at IS NOT NULL;
