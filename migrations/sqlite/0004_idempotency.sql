-- Submissions that their clients have named (Idempotency-Key), each written with its job in one transaction. A row
-- outlives its job: a retry is answered as the first attempt was, whatever became of that.

CREATE TABLE idempotency_keys (
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,     -- digest of what was asked for
    answer TEXT NOT NULL,          -- the body that was answered
    created_at INTEGER NOT NULL,   -- milliseconds since 1970-01-01T00:00:00Z
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
