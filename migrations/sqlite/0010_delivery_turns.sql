-- Whose webhooks are sent next, found without looking through those that wait for a host that is busy.

-- A row for each host that a tenant has pending deliveries to, with the time of the first; kept by the triggers below.
CREATE TABLE delivery_lanes (
    tenant TEXT NOT NULL,
    host TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, host)
) STRICT, WITHOUT ROWID;

CREATE INDEX delivery_lanes_due ON delivery_lanes (tenant, due_at);

-- A row for each tenant that has, or had, deliveries. The one that was served the longest ago is `delivery_turns_served`'s
-- first entry.
CREATE TABLE delivery_turns (
    tenant TEXT PRIMARY KEY NOT NULL,
    served INTEGER NOT NULL  -- the number of its last claim, counted over all tenants
) STRICT, WITHOUT ROWID;

-- Unique, so that a claim is in order without being sorted.
CREATE UNIQUE INDEX delivery_turns_served ON delivery_turns (served);

-- The first delivery of a lane is this index's first entry for it.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_lane ON deliveries (tenant, host, due_at) WHERE state = 'pending';

INSERT INTO delivery_lanes (tenant, host, due_at)
SELECT tenant, host, min(due_at) FROM deliveries WHERE state = 'pending' GROUP BY tenant, host;

INSERT INTO delivery_turns (tenant, served)
SELECT tenant, row_number() OVER (ORDER BY tenant) FROM deliveries GROUP BY tenant;

CREATE TRIGGER delivery_lanes_delivery_inserted AFTER INSERT ON deliveries WHEN NEW.state = 'pending' BEGIN
    INSERT INTO delivery_lanes (tenant, host, due_at) VALUES (NEW.tenant, NEW.host, NEW.due_at)
    ON CONFLICT DO UPDATE SET due_at = min(due_at, excluded.due_at);
    INSERT INTO delivery_turns (tenant, served)
    VALUES (NEW.tenant, coalesce((SELECT max(served) FROM delivery_turns), 0) + 1) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER delivery_lanes_delivery_changed AFTER UPDATE OF state, due_at ON deliveries BEGIN
    DELETE FROM delivery_lanes WHERE tenant = NEW.tenant AND host = NEW.host;
    INSERT INTO delivery_lanes (tenant, host, due_at)
    SELECT tenant, host, due_at FROM deliveries
    WHERE state = 'pending' AND tenant = NEW.tenant AND host = NEW.host ORDER BY due_at LIMIT 1;
END;

CREATE TRIGGER delivery_lanes_delivery_deleted AFTER DELETE ON deliveries WHEN OLD.state = 'pending' BEGIN
    DELETE FROM delivery_lanes WHERE tenant = OLD.tenant AND host = OLD.host;
    INSERT INTO delivery_lanes (tenant, host, due_at)
    SELECT tenant, host, due_at FROM deliveries
    WHERE state = 'pending' AND tenant = OLD.tenant AND host = OLD.host ORDER BY due_at LIMIT 1;
END;
