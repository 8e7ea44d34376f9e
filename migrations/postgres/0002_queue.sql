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
-- Claims that come at the same time do not wait for each other: a tenant that somebody is just claiming for is passed
-- over, as it would be once that claim is through. Where all are, they are served all the same, each with another job;
-- but one with a limit only by one claim at a time, so that the limit is exact.
--
-- A claim is one round trip, and on the disk when it is answered: were it undone by a crash, the next would be the same
-- attempt again, and two workers would write to one key of a shared folder or bucket.
CREATE FUNCTION claim_job(given_now bigint, owner text, token text, lease_milliseconds bigint) RETURNS SETOF jobs
LANGUAGE plpgsql AS $$
DECLARE
    now_is bigint;
    has_to_wait boolean;
    chosen record;
    lock_space integer := hashtext('lktrack.claims.' || current_schema());
BEGIN
    IF NOT EXISTS (SELECT 1 FROM jobs WHERE status = 'queued')
        AND NOT EXISTS (SELECT 1 FROM jobs WHERE lease_token = token)
    THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(lock_space, hashtext(token));
    RETURN QUERY SELECT * FROM jobs WHERE lease_token = token;
    IF FOUND THEN
        RETURN;
    END IF;
    now_is := coalesce(given_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
    FOREACH has_to_wait IN ARRAY ARRAY[false, true] LOOP
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
            SELECT waiting.tenant, tenants.running_limit FROM waiting
            LEFT JOIN tenants ON tenants.name = waiting.tenant
            LEFT JOIN tenant_turns ON tenant_turns.tenant = waiting.tenant
            -- Not by counting those that run: with a thousand workers that takes longer than all the rest.
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(tenant_counts.running::integer), 0) AS running FROM tenant_counts
                WHERE tenant_counts.tenant = waiting.tenant
            ) AS load
            WHERE waiting.tenant IS NOT NULL
                AND (tenants.running_limit IS NULL OR load.running < tenants.running_limit)
            ORDER BY load.running, coalesce(tenant_turns.served, 0), waiting.tenant
        LOOP
            IF NOT has_to_wait THEN
                CONTINUE WHEN NOT pg_try_advisory_xact_lock(lock_space, hashtext(chosen.tenant));
            ELSIF chosen.running_limit IS NOT NULL THEN
                PERFORM pg_advisory_xact_lock(lock_space, hashtext(chosen.tenant));
            END IF;
            -- Once more, now that nobody else claims for it.
            CONTINUE WHEN chosen.running_limit IS NOT NULL AND chosen.running_limit <= (
                SELECT coalesce(sum(running), 0) FROM tenant_counts WHERE tenant = chosen.tenant);

            RETURN QUERY
            UPDATE jobs SET status = 'running', attempt = attempt + 1, started_at = now_is, frames_done = 0,
                frames_total = NULL, frames_per_second = 0, failure = NULL, failure_code = NULL, result_key = NULL,
                video_key = NULL, lease_owner = owner, lease_token = token,
                lease_expires_at = now_is + lease_milliseconds, revision = revision + 1
            WHERE id = (
                -- A job that is just being claimed, canceled or deleted is passed over, not waited for.
                SELECT id FROM jobs WHERE tenant = chosen.tenant AND status = 'queued'
                ORDER BY priority DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING *;
            CONTINUE WHEN NOT FOUND;
            -- Where another claim is just noting this, that will do.
            UPDATE tenant_turns SET served = nextval('claim_numbers')
            WHERE tenant = (SELECT tenant FROM tenant_turns WHERE tenant = chosen.tenant FOR UPDATE SKIP LOCKED);
            IF NOT FOUND THEN
                INSERT INTO tenant_turns (tenant, served) VALUES (chosen.tenant, nextval('claim_numbers'))
                ON CONFLICT DO NOTHING;
            END IF;
            RETURN;
        END LOOP;
    END LOOP;
END
$$;
