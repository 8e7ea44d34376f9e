import Foundation
import PostgresJobStore
import ServiceHarness

/// The database's own books of what became of each job, kept by a trigger of the proof's.
struct ClusterAudit {
    private let url: String

    private static let trigger = """
        CREATE TABLE proof_changes (
            job uuid NOT NULL, before text NOT NULL, after text NOT NULL,
            lease_left bigint,     -- milliseconds that the worker's lease had left
            is_same_end boolean NOT NULL
        );
        CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO proof_changes VALUES (
                NEW.id, OLD.status, NEW.status,
                OLD.lease_expires_at - floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint,
                (OLD.result_key, OLD.finished_at, OLD.frames_done) IS NOT DISTINCT FROM
                    (NEW.result_key, NEW.finished_at, NEW.frames_done));
            RETURN NULL;
        END
        $$;
        CREATE TRIGGER proof AFTER UPDATE ON jobs FOR EACH ROW
        WHEN (NEW.status <> OLD.status OR OLD.finished_at IS NOT NULL) EXECUTE FUNCTION note_change()
        """

    /// Begins to keep books.
    init(_ database: PostgresServer) throws {
        url = database.url()
        try query(Self.trigger)
    }

    /// Jobs that have not ended.
    func open() throws -> Int { try number("SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')") }

    func jobs() throws -> Int { try number("SELECT count(*) FROM jobs") }

    /// Jobs by the attempt that they ended with.
    func attempts() throws -> [(attempt: Int, jobs: Int)] {
        try query("SELECT attempt, count(*) FROM jobs GROUP BY attempt ORDER BY attempt").rows.map {
            ($0.int(0), $0.int(1))
        }
    }

    /// How often a job was taken from its worker: it went back to the queue, or failed because it had done so too often.
    func lostByWorkers() throws -> Int {
        try number("SELECT count(*) FROM proof_changes WHERE before = 'running' AND after IN ('queued', 'failed')")
    }

    private static let isEnd = "after IN ('succeeded', 'failed', 'canceled')"

    /// Jobs that have ended more often than once, or not at all.
    func endedOtherwise() throws -> [String] {
        try query(
            """
            SELECT id, (SELECT count(*) FROM proof_changes WHERE job = id AND before IN ('queued', 'running') AND \(Self.isEnd))
            FROM jobs WHERE (SELECT count(*) FROM proof_changes WHERE job = id AND before IN ('queued', 'running')
                AND \(Self.isEnd)) <> 1
            """
        ).rows.map { "job \($0.text(0)) has ended \($0.int(1)) times" }
    }

    /// What was written of jobs by who had no right to: after their ends, and by workers whose lease was over.
    func staleWrites() throws -> (afterTheEnd: Int, afterTheLease: Int) {
        (
            try number(
                """
                SELECT count(*) FROM proof_changes WHERE before IN ('succeeded', 'failed', 'canceled')
                    AND (after <> before OR NOT is_same_end)
                """),
            try number(
                """
                SELECT count(*) FROM proof_changes
                WHERE before = 'running' AND after = 'succeeded' AND lease_left < 0
                """)
        )
    }

    private func number(_ sql: String) throws -> Int { try query(sql).first?.int(0) ?? 0 }

    @discardableResult
    private func query(_ sql: String) throws -> PostgresResult {
        let connection = try PostgresConnection(url: url, seconds: 10)
        connection.deadline = .now + .seconds(60)
        return try connection.run(script: sql)
    }
}
