import Foundation
import GRDB
import Jobs

/// Monitoring.
extension SQLiteJobStore: QueueStatistics {
    static let oldestQueuedSQL = "SELECT min(created_at) FROM jobs WHERE status = 'queued'"

    public func oldestQueued() throws -> Date? {
        try read { db in
            let milliseconds = try Int64.fetchOne(db.cachedStatement(sql: Self.oldestQueuedSQL))
            return milliseconds.map { Date(unixMilliseconds: $0) }
        }
    }

    public func endings() throws -> JobEndings {
        try read { db in
            var endings = JobEndings()
            for row in try db.cachedStatement(sql: "SELECT status, code, count FROM job_endings").rows([]) {
                guard let status = JobStatus(rawValue: row[0]) else { continue }
                let count: Int = row[2]
                endings.counts[status, default: 0] += count
                if status == .failed { endings.failures[JobFailure.Code(rawValue: row[1]), default: 0] += count }
            }
            return endings
        }
    }

    static let oldestDeliverySQL = "SELECT min(created_at) FROM deliveries WHERE state = 'pending'"

    public func deliveryFigures() throws -> DeliveryFigures {
        try read { db in
            var figures = DeliveryFigures()
            for row in try db.cachedStatement(sql: "SELECT state, count FROM delivery_counts").rows([]) {
                switch row[0] as String {
                case "pending": figures.pending = row[1]
                case "delivered": figures.delivered = row[1]
                default: figures.failed = row[1]
                }
            }
            let oldest = try Int64.fetchOne(db.cachedStatement(sql: Self.oldestDeliverySQL))
            figures.oldestPending = oldest.map { Date(unixMilliseconds: $0) }
            return figures
        }
    }
}
