import HTTPServer
import Jobs

/// Answers that are the picture of a frame.
struct FramePictures: Sendable {
    let services: Services
    /// A decode holds one of the server's handler threads for as long as it takes. All of them at it would leave none
    /// for the reads that are over in no time.
    let decodes: ConcurrencyLimit

    /// - Parameters:
    ///   - version: changes with the source's bytes; for the entity tag.
    ///   - source: asked where the client does not have the picture yet.
    func answer(
        _ index: Int, version: String, _ context: RequestContext,
        source: () throws -> (kind: JobSource.Kind, path: String)
    ) throws -> HTTPResponse {
        let format = try Self.format(context.request)
        let tag = EntityTag("\(version)-\(index)-\(format.rawValue)")
        // Whether there is any version (`*`) is not known before the frame was looked for.
        let request = context.request
        let asksForAny = request.fields.all("If-None-Match").contains { $0.contains("*") }
        if !asksForAny, let answer = try Conditions.answer(tag, request, vary: Self.vary) { return answer }
        let (kind, path) = try source()
        let bytes = try decodes.run(context.tenant) { () throws(MediaServiceError) in
            try services.media.frame(
                index, of: kind, path: path, as: format, isWanted: services.isAwaited(request))
        }
        guard let bytes else { throw MediaServiceError.tooManyDecodes }
        if asksForAny, let answer = try Conditions.answer(tag, request, vary: Self.vary) { return answer }
        return HTTPResponse(
            status: 200,
            fields: HTTPFields([
                ("Content-Type", format.mediaType), ("ETag", tag.description), ("Cache-Control", Conditions.privately),
                ("Vary", Self.vary), ("X-Content-Type-Options", "nosniff"),
            ]),
            body: .bytes(bytes))
    }

    private static let vary = "Accept"

    /// Only a number's canonical form names a frame, so that each frame has one path.
    static func index(_ context: RequestContext) -> Int? {
        guard let text = context.parameter("n"), let index = Int(text), SpecLimits.frame.contains(index),
            String(index) == text
        else {
            return nil
        }
        return index
    }

    private static func format(_ request: HTTPRequest) throws(Problem) -> FrameFormat {
        let offers = FrameFormat.allCases.map { MediaType("image", $0.rawValue) }
        let accept = request.fields.all("Accept").joined(separator: ", ")
        guard let best = ContentNegotiation.best(offers, accept: accept.isEmpty ? nil : accept),
            let format = FrameFormat(rawValue: best.subtype)
        else { throw Problem(.notAcceptable, "Frames are sent as image/png or image/jpeg.") }
        return format
    }
}

extension MediaServiceError {
    static var tooManyDecodes: MediaServiceError {
        MediaServiceError(.busy, "Too many frames are being decoded now. Try again.")
    }
}
