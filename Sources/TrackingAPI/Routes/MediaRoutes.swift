import HTTPServer
import Jobs

/// What was uploaded: the source, and single frames of it.
struct MediaRoutes: Sendable {
    let services: Services
    let pictures: FramePictures

    /// What was uploaded, byte for byte.
    func source(_ context: RequestContext) throws -> HTTPResponse {
        let job = try services.keptJob(context)
        guard let reader = try services.blobs.open(job.source.blobKey) else { throw Self.noSource }
        let media = try recognise(reader)
        return try BlobResponse(services).make(
            reader, mediaType: media?.mediaType ?? "application/octet-stream",
            tag: EntityTag(job.source.sha256), digest: job.source.sha256,
            name: DownloadName(job, ending: "-source.\(media?.fileExtension ?? "bin")", readableEnding: nil),
            for: context)
    }

    func frame(_ context: RequestContext) throws -> HTTPResponse {
        let job = try services.keptJob(context)
        guard let index = FramePictures.index(context) else {
            throw Problem(.notFound, "Frames are counted from 0: /v1/jobs/\(job.id)/frames/0.")
        }
        return try pictures.answer(index, version: job.source.sha256, context) {
            guard let path = try services.decodablePath(of: job.source) else { throw Self.noSource }
            return (job.source.kind, path)
        }
    }

    // MARK: Details

    private static var noSource: Problem { Problem(.gone, "The job's source is not kept any more.") }

    private func recognise(_ reader: any BlobReader) throws -> RecognisedMedia? {
        let prefix = try [UInt8](unsafeUninitializedCapacity: APILimits.recognitionBytes) { buffer, count in
            count = try reader.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
        return services.media.recognise(prefix: prefix)
    }
}
