-- Jobs, their queue and their leases. Times are milliseconds since 1970-01-01T00:00:00Z.

CREATE TABLE jobs (
    id TEXT PRIMARY KEY NOT NULL,  -- UUIDv7: sorts by the time of submission
    tenant TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'canceled')),
    priority INTEGER NOT NULL DEFAULT 0,
    spec TEXT NOT NULL,            -- JSON, every default filled in
    source TEXT NOT NULL,          -- JSON
    created_at INTEGER NOT NULL,
    started_at INTEGER,            -- of the last attempt
    finished_at INTEGER,
    attempt INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    frames_done INTEGER NOT NULL DEFAULT 0,
    frames_total INTEGER,
    frames_per_second REAL NOT NULL DEFAULT 0,
    failure TEXT,                  -- JSON
    result_key TEXT,
    video_key TEXT,
    revision INTEGER NOT NULL DEFAULT 1,
    lease_owner TEXT,
    lease_token TEXT,
    lease_expires_at INTEGER,
    CHECK ((status = 'running') = (lease_token IS NOT NULL))
) STRICT;

-- The next job to claim is this index's first entry.
CREATE INDEX jobs_queue ON jobs (priority DESC, id) WHERE status = 'queued';
CREATE INDEX jobs_leases ON jobs (lease_expires_at) WHERE status = 'running';
CREATE INDEX jobs_of_tenant ON jobs (tenant, id);
CREATE INDEX jobs_of_tenant_in_status ON jobs (tenant, status, id);

CREATE TABLE job_labels (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_labels_by_value ON job_labels (tenant, name, value, job_id);

-- How many jobs are in each state: asked for with every submission, so it must not grow with the table.
CREATE TABLE job_counts (
    status TEXT PRIMARY KEY NOT NULL,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO job_counts (status, count)
VALUES ('queued', 0), ('running', 0), ('succeeded', 0), ('failed', 0), ('canceled', 0);

CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs BEGIN
    UPDATE job_counts SET count = count + 1 WHERE status = NEW.status;
END;

CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs BEGIN
    UPDATE job_counts SET count = count - 1 WHERE status = OLD.status;
END;

CREATE TRIGGER jobs_changed_status AFTER UPDATE OF status ON jobs WHEN NEW.status <> OLD.status BEGIN
    UPDATE job_counts SET count = count - 1 WHERE status = OLD.status;
    UPDATE job_counts SET count = count + 1 WHERE status = NEW.status;
END;
