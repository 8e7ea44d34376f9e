-- Who has to be called back because a job has ended, and what was tried. Times are milliseconds since
-- 1970-01-01T00:00:00Z.

CREATE TABLE deliveries (
    id TEXT PRIMARY KEY NOT NULL,  -- UUIDv7: the webhook-id
    job_id TEXT NOT NULL UNIQUE REFERENCES jobs (id) ON DELETE CASCADE,  -- a job ends once
    tenant TEXT NOT NULL,
    event TEXT NOT NULL,
    url TEXT NOT NULL,
    host TEXT NOT NULL,            -- of the URL, so that a slow one holds up no other
    secret TEXT,                   -- of the job; NULL: the service's
    payload BLOB NOT NULL,         -- the body of every attempt
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    due_at INTEGER,                -- of the next attempt; while it is claimed, the end of the lease
    finished_at INTEGER,
    lease_token TEXT,
    CHECK ((state = 'pending') = (due_at IS NOT NULL)),
    CHECK ((state = 'pending') = (finished_at IS NULL))
) STRICT;

-- The next delivery to claim is among this index's first entries.
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'pending';

CREATE TABLE delivery_attempts (
    delivery_id TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    milliseconds INTEGER NOT NULL,
    status INTEGER,                -- of the answer, where there was one
    error TEXT,                    -- NULL where it is a success
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;
