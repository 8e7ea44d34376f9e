import Foundation
import GRDB
import Jobs

/// A row of `jobs` as a ``Job``.
enum JobRow {
    /// In the order that ``job(_:)`` reads.
    static let columns = """
        jobs.id, jobs.tenant, jobs.status, jobs.spec, jobs.source, jobs.created_at, jobs.started_at, jobs.finished_at, \
        jobs.attempt, jobs.cancel_requested, jobs.frames_done, jobs.frames_total, jobs.frames_per_second, \
        jobs.failure, jobs.result_key, jobs.video_key, jobs.revision, jobs.trace_id, jobs.expires_at
        """

    static func job(_ row: Row) throws -> Job {
        let id: String = row[0]
        let status: String = row[2]
        guard let id = JobID(id), let status = JobStatus(rawValue: status) else {
            throw JobsError(.corrupt, "the stored job \(id) cannot be read")
        }
        let failure: String? = row[13]
        return Job(
            id: id, tenant: TenantID(row[1]), status: status, spec: try spec(row[3], id),
            source: try JobSource(storedJSON: try json(row[4], id)), createdAt: Date(unixMilliseconds: row[5]),
            startedAt: date(row[6]), finishedAt: date(row[7]), attempt: row[8], cancelRequested: row[9],
            progress: JobProgress(framesDone: row[10], framesTotal: row[11], framesPerSecond: row[12]),
            failure: try failure.map { try JobFailure(storedJSON: try json($0, id)) }, resultKey: row[14],
            videoKey: row[15], expiresAt: date(row["expires_at"]), revision: row[16], traceID: row["trace_id"])
    }

    /// How large its spec is.
    static func specBytes(_ row: Row) throws -> Int { try row.withUnsafeData(atIndex: 3) { $0?.count ?? 0 } }

    /// The values of an `INSERT INTO jobs`, by column.
    static func values(_ job: Job) -> [String: (any DatabaseValueConvertible)?] {
        [
            "id": job.id.description, "tenant": job.tenant.name, "status": job.status.rawValue,
            "priority": job.spec.priority, "spec": text(SpecWriter.storedJSON(job.spec)),
            "source": text(job.source.storedJSON), "created_at": job.createdAt.unixMilliseconds,
            "revision": job.revision, "trace_id": job.traceID,
        ]
    }

    static func text(_ json: JSONValue) -> String { String(decoding: json.encoded(), as: UTF8.self) }

    private static func date(_ milliseconds: Int64?) -> Date? { milliseconds.map { Date(unixMilliseconds: $0) } }

    private static func json(_ text: String, _ id: JobID) throws(JobsError) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: text.utf8, maximumBytes: .max)
        } catch {
            throw JobsError(.corrupt, "the stored job \(id) cannot be read: \(error)")
        }
    }

    private static func spec(_ text: String, _ id: JobID) throws(JobsError) -> JobSpec {
        let json = try json(text, id)
        do throws(SpecErrors) {
            return try SpecReader.read(json)
        } catch {
            throw JobsError(.corrupt, "the spec of the stored job \(id) cannot be read: \(error)")
        }
    }
}
