-- What monitoring asks of deliveries, each answered without looking through them.

-- The first entry is the delivery that has been pending the longest.
CREATE INDEX deliveries_pending_by_age ON deliveries (created_at) WHERE state = 'pending';

-- How many are pending, and how many have ended, those of deleted jobs included.
CREATE TABLE delivery_counts (
    state TEXT PRIMARY KEY NOT NULL,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO delivery_counts (state, count)
SELECT name, (SELECT count(*) FROM deliveries WHERE state = name)
FROM (SELECT 'pending' AS name UNION ALL SELECT 'delivered' UNION ALL SELECT 'failed');

CREATE TRIGGER deliveries_inserted AFTER INSERT ON deliveries BEGIN
    UPDATE delivery_counts SET count = count + 1 WHERE state = NEW.state;
END;

CREATE TRIGGER deliveries_changed_state AFTER UPDATE OF state ON deliveries WHEN NEW.state <> OLD.state BEGIN
    UPDATE delivery_counts SET count = count - 1 WHERE state = 'pending' AND OLD.state = 'pending';
    UPDATE delivery_counts SET count = count + 1 WHERE state = NEW.state;
END;

CREATE TRIGGER deliveries_deleted AFTER DELETE ON deliveries WHEN OLD.state = 'pending' BEGIN
    UPDATE delivery_counts SET count = count - 1 WHERE state = 'pending';
END;
