import HTTPServer
import Jobs

/// A job as the bare bytes of a video or an archive, with the spec's fields in the query.
struct RawForm: SubmissionForm {
    private let submission: Submission
    private var upload: FileUpload

    /// - Parameter kinds: what the content type promises.
    /// - Throws: what is wrong with the spec, before a byte of the body is read.
    init(_ context: RequestContext, accepting kinds: [RecognisedMedia.Kind], services: Services) throws {
        submission = Submission(context, services: services)
        try submission.check()
        upload = FileUpload(
            services: services, key: submission.id.sourceKey, expecting: context.request.contentLength ?? 0,
            field: .body(kinds))
        try upload.begin(fileName: nil)
    }

    mutating func receive(_ bytes: UnsafeRawBufferPointer) throws { try upload.write(bytes) }

    mutating func finish() throws -> SubmissionOutcome {
        try upload.end()
        return try submission.submit(upload.commit())
    }

    mutating func close() { upload.discard() }

    func removeBlobs() {
        if upload.isOpen { submission.discard() }
    }
}
