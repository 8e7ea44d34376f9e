-- Keys, what each tenant has and may have, and when jobs expire. Times are milliseconds since 1970-01-01T00:00:00Z.

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY NOT NULL,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),  -- SHA-256 of the key, which is kept nowhere
    rate REAL CHECK (rate > 0),    -- requests a second; NULL: the configuration's
    burst INTEGER CHECK (burst > 0),
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at INTEGER,
    CHECK ((rate IS NULL) = (burst IS NULL))
) STRICT, WITHOUT ROWID;

-- Grows with every change of what keys open, so that a server sees at a glance whether to read them again.
CREATE TABLE api_keys_revision (revision INTEGER NOT NULL) STRICT;

INSERT INTO api_keys_revision (revision) VALUES (0);

CREATE TRIGGER api_keys_inserted AFTER INSERT ON api_keys BEGIN
    UPDATE api_keys_revision SET revision = revision + 1;
END;

CREATE TRIGGER api_keys_deleted AFTER DELETE ON api_keys BEGIN
    UPDATE api_keys_revision SET revision = revision + 1;
END;

CREATE TRIGGER api_keys_changed AFTER UPDATE OF tenant, digest, rate, burst, revoked_at ON api_keys BEGIN
    UPDATE api_keys_revision SET revision = revision + 1;
END;

-- A row for each tenant that has, or had, jobs or a quota. The counts are kept by triggers, because each claim asks for
-- them and they must not grow with the queue.
CREATE TABLE tenants (
    name TEXT PRIMARY KEY NOT NULL,
    queued INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0,
    served INTEGER NOT NULL DEFAULT 0,  -- the number of its last claim, counted over all tenants
    queued_limit INTEGER,               -- NULL: none
    running_limit INTEGER
) STRICT, WITHOUT ROWID;

INSERT INTO tenants (name, queued, running)
SELECT tenant, sum(status = 'queued'), sum(status = 'running') FROM jobs GROUP BY tenant;

-- The tenant whose turn it is is this index's first entry.
CREATE INDEX tenants_turn ON tenants (running, served)
WHERE queued > 0 AND running < coalesce(running_limit, 9223372036854775807);
CREATE INDEX tenants_served ON tenants (served);

CREATE TRIGGER tenants_job_inserted AFTER INSERT ON jobs BEGIN
    INSERT INTO tenants (name) VALUES (NEW.tenant) ON CONFLICT DO NOTHING;
    UPDATE tenants SET queued = queued + (NEW.status = 'queued'), running = running + (NEW.status = 'running')
    WHERE name = NEW.tenant;
END;

CREATE TRIGGER tenants_job_deleted AFTER DELETE ON jobs WHEN OLD.status IN ('queued', 'running') BEGIN
    UPDATE tenants SET queued = queued - (OLD.status = 'queued'), running = running - (OLD.status = 'running')
    WHERE name = OLD.tenant;
END;

CREATE TRIGGER tenants_job_changed_status AFTER UPDATE OF status ON jobs WHEN NEW.status <> OLD.status BEGIN
    UPDATE tenants SET
        queued = queued + (NEW.status = 'queued') - (OLD.status = 'queued'),
        running = running + (NEW.status = 'running') - (OLD.status = 'running'),
        served = iif(NEW.status = 'running', (SELECT max(served) + 1 FROM tenants), served)
    WHERE name = NEW.tenant;
END;

-- The tenant's next job is this index's first entry for it.
DROP INDEX jobs_queue;
CREATE INDEX jobs_queue ON jobs (tenant, priority DESC, id) WHERE status = 'queued';

-- When source and results go, and when they went.
ALTER TABLE jobs ADD COLUMN expires_at INTEGER;
ALTER TABLE jobs ADD COLUMN purged_at INTEGER;
CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL AND purged_at IS NULL;
CREATE INDEX jobs_purged ON jobs (purged_at) WHERE purged_at IS NOT NULL;
