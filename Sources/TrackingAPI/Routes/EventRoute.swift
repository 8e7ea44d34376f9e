import HTTPServer
import Jobs

/// `GET /v1/jobs/{id}/events`: what happens to a job, as it happens.
struct EventRoute: Sendable {
    let services: Services

    static let parameters = ["frames"]

    /// Keeps a proxy from gathering what is to be seen at once.
    static let unbuffered = (name: "X-Accel-Buffering", value: "no")

    /// Frames are looked for in the result.
    static func place(_ context: RequestContext) -> Route.Place {
        (try? context.flag("frames")) == true ? .blobs : .queue
    }

    func events(_ context: RequestContext) throws -> HTTPResponse {
        let job = try services.job(context)
        let wantsFrames = try context.flag("frames")
        try Self.requireAccepted(context.request)
        var position = context.request.fields["Last-Event-ID"].flatMap { EventPosition($0) } ?? EventPosition()
        if !position.isPossible(for: job) { position = EventPosition() }
        // HTML §9.2.3: 204 tells a browser, which comes back after every end, that there is no more.
        if position.stage == .over, job.status.isFinal { return HTTPResponse(status: 204) }
        if wantsFrames { try requireResult(job) }
        let feed = EventFeed(job.id, after: position, wantsFrames: wantsFrames)
        let body = try JobFeedBody(feed, job: job, key: context.key, needsResult: wantsFrames, services: services)
        return HTTPResponse(
            status: 200,
            fields: HTTPFields([
                ("Content-Type", EventFeed.mediaType), ("Cache-Control", "no-store"), Self.unbuffered,
            ]), body: .stream(body))
    }

    /// - Throws: 410 where the job has a result that is gone.
    private func requireResult(_ job: Job) throws {
        guard job.status.isFinal, job.resultKey != nil, try services.blobs.openResult(of: job) == nil else { return }
        throw ResultRoute.notKept
    }

    private static func requireAccepted(_ request: HTTPRequest) throws(Problem) {
        let accept = request.fields.all("Accept").joined(separator: ", ")
        let offers = [MediaType("text", "event-stream")]
        guard ContentNegotiation.best(offers, accept: accept.isEmpty ? nil : accept) != nil else {
            throw Problem(.notAcceptable, "The events of a job come as \(EventFeed.mediaType) only.")
        }
    }
}
