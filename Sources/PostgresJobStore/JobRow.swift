import Foundation
import Jobs

/// A row of `jobs` as a ``StoredJob``.
enum JobRow {
    /// In the order that ``stored(_:)`` reads. The spec comes last, for ``PostgresJobStore/listing(_:)``.
    static let columns = """
        jobs.id, jobs.tenant, jobs.status, jobs.source, jobs.created_at, jobs.started_at, jobs.finished_at, jobs.attempt, \
        jobs.cancel_requested, jobs.frames_done, jobs.frames_total, jobs.frames_per_second, jobs.failure, \
        jobs.result_key, jobs.video_key, jobs.revision, jobs.trace_id, jobs.expires_at, jobs.spec
        """
    /// Where the spec is among them.
    static let spec = 18
    /// Where columns after these begin.
    static let count = 19

    static func stored(_ row: PostgresRow) throws(JobsError) -> StoredJob {
        guard let id = JobID(row.text(0)), let status = JobStatus(rawValue: row.text(2)) else {
            throw JobsError(.corrupt, "the stored job \(row.text(0)) cannot be read")
        }
        var job = Job(
            id: id, tenant: TenantID(row.text(1)), status: status, spec: JobSpec(targets: []),
            source: JobSource(storedText: row.text(3), of: id), createdAt: row.date(4),
            startedAt: row.optionalDate(5), finishedAt: row.optionalDate(6), attempt: row.int(7),
            cancelRequested: row.boolean(8),
            progress: JobProgress(
                framesDone: row.int(9), framesTotal: row.optionalInt(10), framesPerSecond: row.number(11)),
            resultKey: row.optionalText(13), videoKey: row.optionalText(14), expiresAt: row.optionalDate(17),
            revision: row.integer(15), traceID: row.optionalText(16))
        if let failure = row.optionalText(12) { job.failure = JobFailure(storedText: failure, of: id) }
        return StoredJob(withoutSpec: job, spec: row.text(spec))
    }

    /// Ids in a result's first column.
    static func ids(_ result: PostgresResult) -> [JobID] { result.rows.compactMap { JobID($0.text(0)) } }
}
