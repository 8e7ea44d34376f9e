-- Whose turn it is, and what tenants may have.

CREATE TABLE tenants (
    name text COLLATE "C" PRIMARY KEY,
    queued_limit bigint,           -- NULL: none
    running_limit bigint
);

-- The number of each tenant's last claim, counted over all tenants. None: it was never served.
CREATE TABLE tenant_turns (
    tenant text COLLATE "C" PRIMARY KEY,
    served bigint NOT NULL
) WITH (fillfactor = 50);

CREATE SEQUENCE claim_numbers;

-- Takes the next job: of the tenants with queued jobs that with the fewest running ones, among equals that which was
-- served longest ago; of its jobs that of the highest priority, among equals the oldest.
--
-- Who got no answer may ask again with the same token and gets the same job, also where the first call is still under
-- way.
--
-- Claims go one after another, so that turns and quotas are exact. Each is one round trip and does not wait for the
-- disk: where a crash undoes one, its job is queued again and its worker's token is void.
CREATE FUNCTION claim_job(given_now bigint, owner text, token text, lease_milliseconds bigint) RETURNS SETOF jobs
LANGUAGE plpgsql AS $$
DECLARE
    now_is bigint;
    chosen text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM jobs WHERE status = 'queued')
        AND NOT EXISTS (SELECT 1 FROM jobs WHERE lease_token = token)
    THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('lktrack.claims'), hashtext(current_schema()));
    RETURN QUERY SELECT * FROM jobs WHERE lease_token = token;
    IF FOUND THEN
        RETURN;
    END IF;
    PERFORM set_config('synchronous_commit', 'off', true);
    now_is := coalesce(given_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
    FOR chosen IN
        -- Steps from tenant to tenant along the queue's index, however many jobs each has.
        WITH RECURSIVE waiting (tenant) AS (
            (SELECT tenant FROM jobs WHERE status = 'queued' ORDER BY tenant LIMIT 1)
            UNION ALL
            SELECT (
                SELECT jobs.tenant FROM jobs WHERE jobs.status = 'queued' AND jobs.tenant > waiting.tenant
                ORDER BY jobs.tenant LIMIT 1)
            FROM waiting WHERE waiting.tenant IS NOT NULL
        )
        SELECT waiting.tenant FROM waiting
        LEFT JOIN tenants ON tenants.name = waiting.tenant
        LEFT JOIN tenant_turns ON tenant_turns.tenant = waiting.tenant
        CROSS JOIN LATERAL (
            SELECT count(*) AS running FROM jobs WHERE jobs.tenant = waiting.tenant AND jobs.status = 'running'
        ) AS load
        WHERE waiting.tenant IS NOT NULL AND (tenants.running_limit IS NULL OR load.running < tenants.running_limit)
        ORDER BY load.running, coalesce(tenant_turns.served, 0), waiting.tenant
    LOOP
        RETURN QUERY
        UPDATE jobs SET status = 'running', attempt = attempt + 1, started_at = now_is, frames_done = 0,
            frames_total = NULL, frames_per_second = 0, failure = NULL, failure_code = NULL, result_key = NULL,
            video_key = NULL, lease_owner = owner, lease_token = token,
            lease_expires_at = now_is + lease_milliseconds, revision = revision + 1
        WHERE id = (
            -- A job that is just being canceled or deleted is passed over, not waited for.
            SELECT id FROM jobs WHERE tenant = chosen AND status = 'queued'
            ORDER BY priority DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING *;
        IF FOUND THEN
            INSERT INTO tenant_turns AS turn (tenant, served) VALUES (chosen, nextval('claim_numbers'))
            ON CONFLICT (tenant) DO UPDATE SET served = excluded.served;
            RETURN;
        END IF;
    END LOOP;
END
$$;
