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
}
