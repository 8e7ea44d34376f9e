-- Keys, uploads that come in pieces, and submissions that their clients have named. Times are milliseconds since
-- 1970-01-01T00:00:00Z.

CREATE TABLE api_keys (
    id text COLLATE "C" PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    name text NOT NULL,
    digest bytea NOT NULL UNIQUE CHECK (length(digest) = 32),  -- SHA-256 of the key, which is kept nowhere
    rate double precision CHECK (rate > 0),  -- requests a second; NULL: the configuration's
    burst bigint CHECK (burst > 0),
    created_at bigint NOT NULL,
    last_used_at bigint,
    revoked_at bigint,
    CHECK ((rate IS NULL) = (burst IS NULL))
);

-- Grows with every change of what keys open, so that a server sees at a glance whether to read them again.
CREATE TABLE api_keys_revision (revision bigint NOT NULL);

INSERT INTO api_keys_revision (revision) VALUES (0);

CREATE FUNCTION count_key_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE api_keys_revision SET revision = revision + 1;
    RETURN NULL;
END
$$;

CREATE TRIGGER api_keys_inserted_or_deleted AFTER INSERT OR DELETE ON api_keys
FOR EACH ROW EXECUTE FUNCTION count_key_change();
CREATE TRIGGER api_keys_changed AFTER UPDATE OF tenant, digest, rate, burst, revoked_at ON api_keys
FOR EACH ROW EXECUTE FUNCTION count_key_change();

CREATE TABLE uploads (
    id uuid PRIMARY KEY,           -- UUIDv7
    tenant text COLLATE "C" NOT NULL,
    length bigint,                 -- bytes in all; NULL while the client has not told
    received bigint NOT NULL DEFAULT 0 CHECK (received BETWEEN 0 AND coalesce(length, received)),
    metadata text NOT NULL,        -- Upload-Metadata as it was sent
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    job_id uuid,                   -- the job that took it; kept until the upload expires, to tell who asks again
    removed_at bigint,             -- when it was swept because its time was over
    CHECK (job_id IS NULL OR received = length)
);

CREATE INDEX uploads_by_expiry ON uploads (expires_at) WHERE removed_at IS NULL;
CREATE INDEX uploads_removed ON uploads (removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX uploads_open ON uploads (tenant) WHERE job_id IS NULL AND removed_at IS NULL;

-- Each is written with its job in one transaction. A row outlives its job: a retry is answered as the first attempt
-- was, whatever became of that.
CREATE TABLE idempotency_keys (
    tenant text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint text NOT NULL,     -- digest of what was asked for
    answer bytea NOT NULL,         -- the body that was answered
    created_at bigint NOT NULL,
    PRIMARY KEY (tenant, key)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
