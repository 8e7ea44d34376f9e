-- What each tenant keeps on the disk, and may keep, in bytes. The sum over a tenant's jobs is kept by triggers, because
-- each submission asks for it. Open uploads are summed when it is asked for: there are few of them.

-- Of the source, and of what the job's end and requests for videos and other forms of the result have added. 0 once the
-- job is purged. Of jobs from before this there was only the source's to be known.
ALTER TABLE jobs ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0;

UPDATE jobs SET stored_bytes = iif(json_valid(source), coalesce(CAST(json_extract(source, '$.bytes') AS INTEGER), 0), 0)
WHERE purged_at IS NULL;

ALTER TABLE tenants ADD COLUMN stored INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN stored_limit INTEGER;  -- NULL: none

UPDATE tenants SET stored = (SELECT coalesce(sum(stored_bytes), 0) FROM jobs WHERE tenant = tenants.name);

DROP TRIGGER tenants_job_inserted;
CREATE TRIGGER tenants_job_inserted AFTER INSERT ON jobs BEGIN
    INSERT INTO tenants (name) VALUES (NEW.tenant) ON CONFLICT DO NOTHING;
    UPDATE tenants SET
        queued = queued + (NEW.status = 'queued'), running = running + (NEW.status = 'running'),
        stored = stored + NEW.stored_bytes
    WHERE name = NEW.tenant;
END;

DROP TRIGGER tenants_job_deleted;
CREATE TRIGGER tenants_job_deleted AFTER DELETE ON jobs
WHEN OLD.status IN ('queued', 'running') OR OLD.stored_bytes <> 0 BEGIN
    UPDATE tenants SET
        queued = queued - (OLD.status = 'queued'), running = running - (OLD.status = 'running'),
        stored = stored - OLD.stored_bytes
    WHERE name = OLD.tenant;
END;

CREATE TRIGGER tenants_job_changed_bytes AFTER UPDATE OF stored_bytes ON jobs WHEN NEW.stored_bytes <> OLD.stored_bytes
BEGIN
    UPDATE tenants SET stored = stored + NEW.stored_bytes - OLD.stored_bytes WHERE name = NEW.tenant;
END;
