-- The state of a job beside its labels, so that a list by both goes by one index.

DROP INDEX job_labels_by_value;

ALTER TABLE job_labels ADD COLUMN status TEXT NOT NULL DEFAULT 'queued';

UPDATE job_labels SET status = (SELECT status FROM jobs WHERE jobs.id = job_labels.job_id);

CREATE INDEX job_labels_by_value ON job_labels (tenant, name, value, job_id);
CREATE INDEX job_labels_by_status ON job_labels (tenant, name, value, status, job_id);

CREATE TRIGGER job_labels_job_changed_status AFTER UPDATE OF status ON jobs WHEN NEW.status <> OLD.status BEGIN
    UPDATE job_labels SET status = NEW.status WHERE job_id = NEW.id;
END;
