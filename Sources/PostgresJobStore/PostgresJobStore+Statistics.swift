import Foundation
import Jobs

/// Monitoring.
extension PostgresJobStore: QueueStatistics {
    public func oldestQueued() throws -> Date? {
        try transactor.read { connection in
            try connection.execute("SELECT min(created_at) FROM jobs WHERE status = 'queued'").first?.optionalDate(0)
        }
    }

    public func endings() throws -> JobEndings {
        try transactor.read { connection in
            let sql = "SELECT status, code, sum(count)::bigint FROM job_endings GROUP BY status, code"
            var endings = JobEndings()
            for row in try connection.execute(sql).rows {
                guard let status = JobStatus(rawValue: row.text(0)) else { continue }
                let count = row.int(2)
                endings.counts[status, default: 0] += count
                if status == .failed { endings.failures[JobFailure.Code(rawValue: row.text(1)), default: 0] += count }
            }
            return endings
        }
    }

    public func deliveryFigures() throws -> DeliveryFigures {
        try transactor.read { connection in
            let sql = """
                SELECT coalesce(sum(count) FILTER (WHERE state = 'pending'), 0)::bigint,
                    coalesce(sum(count) FILTER (WHERE state = 'delivered'), 0)::bigint,
                    coalesce(sum(count) FILTER (WHERE state = 'failed'), 0)::bigint,
                    (SELECT min(created_at) FROM deliveries WHERE state = 'pending')
                FROM delivery_counts
                """
            guard let row = try connection.execute(sql).first else { return DeliveryFigures() }
            return DeliveryFigures(
                pending: row.int(0), oldestPending: row.optionalDate(3), delivered: row.int(1), failed: row.int(2))
        }
    }
}

extension PostgresJobStore: JobRevisionStore {
    public func revisions(of ids: [JobID]) throws -> [JobID: Int64] {
        guard !ids.isEmpty else { return [:] }
        return try transactor.read { connection in
            let sql = "SELECT id, revision FROM jobs WHERE id = ANY ($1::uuid[])"
            let rows = try connection.execute(sql, [.array(ids.map(\.description))]).rows
            return Dictionary(
                rows.compactMap { row in JobID(row.text(0)).map { ($0, row.integer(1)) } },
                uniquingKeysWith: { first, _ in first })
        }
    }
}
