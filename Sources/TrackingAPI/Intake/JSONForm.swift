import HTTPServer
import Jobs

/// A job as JSON: the spec with a `source` that names an upload, which becomes the job's, or an earlier job, whose video
/// is tracked again.
///
/// The source of a job gets a second key, so that each job can be deleted without a thought for the other.
struct JSONForm: SubmissionForm {
    let isBodyKept = false

    private let services: Services
    private let tenant: TenantID
    private var submission: Submission
    private let held: HeldText
    /// Bytes that the request announces.
    private let expected: Int64?
    private var body: [UInt8] = []
    /// Whether the job's key may name a blob by now.
    private var isSourceMade = false

    private enum Source {
        case job(Job)
        case upload(UploadedSource)
    }

    init(_ context: RequestContext, services: Services) {
        self.services = services
        tenant = context.tenant
        submission = Submission(context, services: services)
        held = HeldText(services.textMemory, tenant: tenant)
        expected = context.request.contentLength
    }

    mutating func receive(_ bytes: UnsafeRawBufferPointer) throws {
        if body.isEmpty { try held.announce(expected) }
        try held.grow(by: bytes.count)
        body.append(contentsOf: bytes)
    }

    mutating func finish() throws -> SubmissionOutcome {
        let reference = try LongTexts.inTurn(body.count) {
            try JSONBody.object(body, maximumBytes: APILimits.specBytes, of: "a spec with a source")["source"]
        }
        try submission.add(spec: body)
        if let reference, let outcome = try submission.earlierOutcome(from: reference) { return outcome }
        let source = try source(reference)
        try submission.check()
        isSourceMade = true
        switch source {
        case .job(let original):
            return try Admission(services: services).storing(original.source.bytes, of: tenant) {
                try submission.submit(copy(of: original), named: reference)
            }
        case .upload(let upload):
            return try submission.submit(upload.source(of: submission.id), named: reference, from: upload)
        }
    }

    func close() {}

    func removeBlobs() {
        if isSourceMade { submission.discard() }
    }

    /// What is to be tracked.
    private func source(_ reference: JSONValue?) throws -> Source {
        guard let reference, let members = reference.objectValue else {
            throw submission.refusal(
                with: "#/source",
                "must be {\"upload\": \"<id>\"} or {\"job\": \"<id>\"}; to send a video, use multipart/form-data or video/*"
            )
        }
        if let other = members.keys.first(where: { !["job", "upload"].contains($0) }) {
            throw submission.refusal(
                with: ClientText.pointer("source", other), "unknown field; known here: job, upload")
        }
        guard members.keys.count <= 1 else {
            throw submission.refusal(with: "#/source", "has both job and upload; a job has one source")
        }
        return try members["upload"].map { .upload(try upload($0)) } ?? .job(original(members["job"]))
    }

    /// The job whose source is wanted.
    private func original(_ reference: JSONValue?) throws -> Job {
        guard let id = reference?.stringValue.flatMap({ JobID($0) }),
            let job = try services.store.job(id, tenant: tenant)
        else { throw submission.refusal(with: "#/source/job", "there is no job with this id") }
        try services.requireKept(job)
        return job
    }

    /// The upload that is wanted; whether it can be had is another question.
    private func upload(_ reference: JSONValue) throws -> UploadedSource {
        do {
            return try UploadedSource.find(
                reference, at: UploadedSource.pointer, tenant: tenant, services: services)
        } catch is Problem {
            throw submission.refusal(with: UploadedSource.pointer, UploadedSource.noSuchUpload)
        }
    }

    /// The original's bytes never change, so that both jobs may share them; what is known of them holds for both.
    private func copy(of original: Job) throws -> JobSource {
        var source = original.source
        source.blobKey = submission.id.sourceKey
        guard try services.blobs.copy(original.source.blobKey, to: source.blobKey) else {
            throw Problem.at("#/source/job", "The job's video is there no more; send it again.")
        }
        return source
    }
}
