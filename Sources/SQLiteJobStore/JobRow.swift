import Foundation
import GRDB
import Jobs

/// A row of `jobs`, which is read as a ``StoredJob``.
enum JobRow {
    /// In the order that ``StoredJob/init(_:)`` reads.
    static let columns = """
        jobs.id, jobs.tenant, jobs.status, jobs.spec, jobs.source, jobs.created_at, jobs.started_at, jobs.finished_at, \
        jobs.attempt, jobs.cancel_requested, jobs.frames_done, jobs.frames_total, jobs.frames_per_second, \
        jobs.failure, jobs.result_key, jobs.video_key, jobs.revision, jobs.trace_id, jobs.expires_at
        """

    /// How large its spec is.
    static func specBytes(_ row: Row) throws -> Int { try row.withUnsafeData(atIndex: 3) { $0?.count ?? 0 } }
}

extension StoredJob {
    init(_ row: Row) throws {
        let id: String = row[0]
        let status: String = row[2]
        guard let id = JobID(id), let status = JobStatus(rawValue: status) else {
            throw JobsError(.corrupt, "the stored job \(id) cannot be read")
        }
        let failure: String? = row[13]
        let job = Job(
            id: id, tenant: TenantID(row[1]), status: status, spec: JobSpec(targets: []),
            source: JobSource(storedText: row[4], of: id), createdAt: Date(unixMilliseconds: row[5]),
            startedAt: Self.date(row[6]), finishedAt: Self.date(row[7]), attempt: row[8], cancelRequested: row[9],
            progress: JobProgress(framesDone: row[10], framesTotal: row[11], framesPerSecond: row[12]),
            failure: failure.map { JobFailure(storedText: $0, of: id) }, resultKey: row[14], videoKey: row[15],
            expiresAt: Self.date(row["expires_at"]), revision: row[16], traceID: row["trace_id"])
        self.init(withoutSpec: job, spec: row[3])
    }

    private static func date(_ milliseconds: Int64?) -> Date? { milliseconds.map { Date(unixMilliseconds: $0) } }
}

extension NewJob {
    /// The values of an `INSERT INTO jobs`, by column.
    var values: [String: (any DatabaseValueConvertible)?] {
        [
            "id": job.id.description, "tenant": job.tenant.name, "status": job.status.rawValue,
            "priority": job.spec.priority, "spec": spec, "source": job.source.storedJSON.storedText,
            "created_at": job.createdAt.unixMilliseconds, "revision": job.revision, "trace_id": job.traceID,
            "stored_bytes": storedBytes,
        ]
    }
}
