import HTTPServer
import Jobs

/// What was uploaded: the source, and single frames of it.
struct MediaRoutes: Sendable {
    private let services: Services
    /// A decode holds one of the server's handler threads for as long as it takes. All of them at it would leave none
    /// for the reads that are over in no time.
    private let frameDecodes: ConcurrencyLimit

    init(services: Services) {
        self.services = services
        frameDecodes = ConcurrencyLimit(services.configuration.frameDecodes)
    }

    /// What was uploaded, byte for byte.
    func source(_ context: RequestContext) throws -> HTTPResponse {
        let job = try services.keptJob(context)
        guard let reader = try services.blobs.open(job.source.blobKey) else { throw Self.noSource }
        let media = try recognise(reader)
        return try BlobResponse.make(
            reader, mediaType: media?.mediaType ?? "application/octet-stream",
            tag: EntityTag(job.source.sha256), digest: job.source.sha256,
            fileName: "\(job.id)-source.\(media?.fileExtension ?? "bin")", for: context.request)
    }

    func frame(_ context: RequestContext) throws -> HTTPResponse {
        let job = try services.keptJob(context)
        guard let index = Self.frameIndex(context) else {
            throw Problem(.notFound, "Frames are counted from 0: /v1/jobs/\(job.id)/frames/0.")
        }
        let format = try Self.frameFormat(context.request)
        let tag = EntityTag("\(job.source.sha256)-\(index)-\(format.rawValue)")
        if let answer = try Conditions.answer(tag, context.request) { return answer }
        guard let path = try services.blobs.localPath(job.source.blobKey) else { throw Self.noSource }
        let bytes = try decode(index, of: job.source, path: path, as: format)
        return HTTPResponse(
            status: 200,
            fields: HTTPFields([
                ("Content-Type", format.mediaType), ("ETag", tag.description), ("Cache-Control", "private, no-cache"),
                ("Vary", "Accept"), ("X-Content-Type-Options", "nosniff"),
            ]),
            body: .bytes(bytes))
    }

    // MARK: Details

    private static var noSource: Problem { Problem(.gone, "The job's source is not kept any more.") }

    private func recognise(_ reader: any BlobReader) throws -> RecognisedMedia? {
        let prefix = try [UInt8](unsafeUninitializedCapacity: APILimits.recognitionBytes) { buffer, count in
            count = try reader.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
        return services.media.recognise(prefix: prefix)
    }

    private func decode(
        _ index: Int, of source: JobSource, path: String, as format: FrameFormat
    ) throws(MediaServiceError) -> [UInt8] {
        let bytes = try frameDecodes.run { () throws(MediaServiceError) in
            try services.media.frame(index, of: source, path: path, as: format)
        }
        guard let bytes else { throw MediaServiceError(.busy, "Too many frames are being decoded now. Try again.") }
        return bytes
    }

    /// Only a number's canonical form names a frame, so that each frame has one path.
    private static func frameIndex(_ context: RequestContext) -> Int? {
        guard let text = context.parameter("n"), let index = Int(text), SpecLimits.frame.contains(index),
            String(index) == text
        else {
            return nil
        }
        return index
    }

    private static func frameFormat(_ request: HTTPRequest) throws(Problem) -> FrameFormat {
        let offers = FrameFormat.allCases.map { MediaType("image", $0.rawValue) }
        let accept = request.fields.all("Accept").joined(separator: ", ")
        guard let best = ContentNegotiation.best(offers, accept: accept.isEmpty ? nil : accept),
            let format = FrameFormat(rawValue: best.subtype)
        else { throw Problem(.notAcceptable, "Frames are sent as image/png or image/jpeg.") }
        return format
    }
}
