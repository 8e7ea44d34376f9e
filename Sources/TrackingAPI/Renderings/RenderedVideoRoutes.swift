import HTTPServer
import Jobs

/// The annotated video and the stabilised crops of a job that has ended: made when they are first asked for, unless the
/// job was asked for them, and kept with it.
struct RenderedVideoRoutes: Sendable {
    let services: Services
    let renderings: RenderingQueue

    func video(_ context: RequestContext) throws -> HTTPResponse {
        let job = try services.keptJob(context)
        let isAVI = job.spec.output.video == .avi
        let (mediaType, fileExtension) = isAVI ? ("video/x-msvideo", "avi") : ("video/mp4", "mp4")
        let key = job.videoKey ?? job.id.videoKey(attempt: job.attempt, fileExtension: fileExtension)
        let file = File(
            key: key, mediaType: mediaType, tag: EntityTag("video-\(job.attempt)"),
            name: DownloadName(job, ending: ".\(fileExtension)", readableEnding: "-tracked.\(fileExtension)"))
        if job.status.isFinal, let answer = try kept(file, context) { return answer }
        guard job.videoKey == nil else { throw Problem(.gone, "The annotated video is not kept any more.") }
        return try rendered(.annotated(isAVI ? .avi : .mp4), of: job, as: file, context)
    }

    func crops(_ context: RequestContext) throws -> HTTPResponse {
        let job = try services.keptJob(context)
        let target = context.parameter("t") ?? ""
        guard let index = job.spec.targets.firstIndex(where: { $0.id == target }) else {
            let known = job.spec.targets.map(\.id).joined(separator: ", ")
            throw Problem(.notFound, "The job has no target \(ClientText.quoted(target)); it has \(known).")
        }
        let file = File(
            key: job.id.cropsKey(attempt: job.attempt, target: index), mediaType: "video/mp4",
            tag: EntityTag("crops-\(job.attempt)-\(index)"),
            name: DownloadName(job, ending: "-\(target).mp4", readableEnding: "-\(target).mp4"))
        if job.status.isFinal, let answer = try kept(file, context) { return answer }
        return try rendered(.crops(target: index), of: job, as: file, context)
    }

    /// A video as it is kept and sent.
    private struct File {
        var key: String
        var mediaType: String
        var tag: EntityTag
        var name: DownloadName
    }

    private func kept(_ file: File, _ context: RequestContext) throws -> HTTPResponse? {
        guard let reader = try services.blobs.open(file.key) else { return nil }
        return try BlobResponse(services).make(
            reader, mediaType: file.mediaType, tag: file.tag, digest: services.blobs.digest(file.key),
            name: file.name, for: context)
    }

    /// 202 while it is being made, and then the same path has it.
    private func rendered(
        _ content: VideoRendering.Content, of job: Job, as file: File, _ context: RequestContext
    ) throws -> HTTPResponse {
        try requireFrames(job)
        guard try services.blobs.availableBytes() > services.configuration.diskReserveBytes else {
            throw Problem.noSpace(cause: "the reserve is reached", for: "this video")
        }
        if !renderings.isWanted(file.key) { try Admission(services: services).checkStored(for: 1, of: job.tenant) }
        switch renderings.request(VideoRendering(content, of: job, key: file.key)) {
        case .working:
            // Between the look for it and the request it may have been finished.
            return try kept(file, context) ?? Self.accepted(context.request)
        case .failed(let error, let seconds):
            throw Self.problem(error).retryAfter(seconds)
        case .refused:
            throw Problem(.unavailable, "Too many videos are waiting to be made. Try again.").retryAfter(10)
        }
    }

    private static func accepted(_ request: HTTPRequest) -> HTTPResponse {
        let path = String(request.target.prefix { $0 != "?" })
        return .json(
            202, ["status": "rendering", "detail": "The video is being made. Ask again for this path."],
            fields: [("Location", path), ("Retry-After", "1")])
    }

    /// That there is something to show: a result with frames, and the source they were tracked in.
    private func requireFrames(_ job: Job) throws {
        guard job.status.isFinal else {
            throw Problem(
                .notReady, "The job is \(job.status.rawValue). Its videos can be made when it has ended."
            ).retryAfter(1)
        }
        guard let key = job.resultKey else { throw Self.nothingTracked(job) }
        guard let result = try services.blobs.open(key), try services.blobs.open(job.source.blobKey) != nil else {
            throw Problem(.gone, "The job's source and result are not kept any more.")
        }
        guard result.count > 0 else { throw Self.nothingTracked(job) }
    }

    private static func nothingTracked(_ job: Job) -> Problem {
        Problem(
            .notFound, "The job ended (\(job.status.rawValue)) before a frame was tracked; there is nothing to show.")
    }

    private static func problem(_ error: MediaServiceError) -> Problem {
        switch error.code {
        case .storageFull: Problem.noSpace(cause: error.message, for: "this video")
        case .targetNotFound: Problem(.notFound, error.message)
        default: Problem(wrapping: error)
        }
    }
}
