import Foundation

/// Writes a job as the job object of the HTTP interface (its OpenAPI document's `Job`).
public enum JobWriter {
    /// The job object as text. Long ones are made a few at a time (``LongTexts``).
    public static func encoded(_ job: Job) -> [UInt8] {
        LongTexts.inTurn(job.spec.approximateTextBytes) { json(job).encoded() }
    }

    public static func json(_ job: Job) -> JSONValue { json(job, spec: SpecWriter.json(job.spec)) }

    /// The job object with something else for its spec.
    public static func json(_ job: Job, spec: JSONValue) -> JSONValue {
        [
            "id": .string(job.id.description),
            "status": .string(job.status.rawValue),
            "created_at": time(job.createdAt),
            "started_at": time(job.startedAt),
            "finished_at": time(job.finishedAt),
            "expires_at": time(job.expiresAt),
            "attempt": .int(job.attempt),
            "progress": progress(job.progress),
            "source": source(job.source),
            "spec": spec,
            "error": job.failure?.storedJSON ?? .null,
            "links": links(job),
        ]
    }

    private static func time(_ date: Date?) -> JSONValue { date.map { .string(RFC3339.string($0)) } ?? .null }

    /// The job's `progress`.
    public static func progress(_ progress: JobProgress) -> JSONValue {
        [
            "frames_done": .int(progress.framesDone),
            "frames_total": progress.framesTotal.map { .int($0) } ?? .null,
            "frames_per_second": .number((progress.framesPerSecond * 10).rounded() / 10),
        ]
    }

    /// Also the `source` of a JSON result.
    static func source(_ source: JobSource) -> JSONValue {
        [
            "kind": .string(source.kind.rawValue),
            "file_name": source.fileName.map { .string($0) } ?? .null,
            "bytes": .int(source.bytes),
            "sha256": .string(source.sha256),
            "width": source.width.map { .int($0) } ?? .null,
            "height": source.height.map { .int($0) } ?? .null,
            "frame_rate": source.frameRate.map { .number($0) } ?? .null,
            "codec": source.codec.map { .string($0) } ?? .null,
            "frame_count": source.frameCount.map { .int($0) } ?? .null,
        ]
    }

    /// `deliveries` is `null` where nobody is called back, and `video` where there is none and none can be made: nothing was tracked.
    private static func links(_ job: Job) -> JSONValue {
        let base = "/v1/jobs/\(job.id)"
        let hasVideo = !job.status.isFinal || job.resultKey != nil || job.videoKey != nil
        return [
            "self": .string(base),
            "events": .string(base + "/events"),
            "results": .string(base + "/results"),
            "video": hasVideo ? .string(base + "/video") : .null,
            "deliveries": job.spec.webhook == nil ? .null : .string(base + "/deliveries"),
            "source": .string(base + "/source"),
        ]
    }
}
