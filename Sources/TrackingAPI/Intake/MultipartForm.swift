import HTTPServer
import Jobs

/// A job as `multipart/form-data`: one `video`, one `archive` or several `frame` files, and the spec in a part of its
/// own or in form fields, in any order.
struct MultipartForm: SubmissionForm {
    private var parser: MultipartParser
    private var parts: MultipartParts

    init(_ context: RequestContext, contentType: String, services: Services) throws {
        var limits = MultipartParser.Limits()
        limits.parts = services.configuration.frames + APILimits.fields + 1
        parser = try MultipartParser(contentType: contentType, limits: limits)
        parts = MultipartParts(context, services: services)
    }

    mutating func receive(_ bytes: UnsafeRawBufferPointer) throws { try Self.feed(&parser, bytes, &parts) }

    mutating func finish() throws -> SubmissionOutcome {
        try parser.finish()
        return try parts.finish()
    }

    mutating func close() { parts.close() }

    func removeBlobs() { parts.removeBlobs() }

    private static func feed(
        _ parser: inout MultipartParser, _ bytes: UnsafeRawBufferPointer, _ parts: inout MultipartParts
    ) throws {
        try parser.feed(bytes) { try parts.take($0) }
    }
}

/// What the parts of a form add up to.
private struct MultipartParts: Sendable {
    /// The part that is being read.
    private enum Part: Sendable {
        case none, file
        case text(TextPart)
    }

    private let services: Services
    /// Bytes that the request announces.
    private let expected: Int64
    private let held: HeldText
    private var submission: Submission
    private var source: (field: String, upload: any SourceUpload)?
    private var part = Part.none

    init(_ context: RequestContext, services: Services) {
        submission = Submission(context, services: services)
        expected = context.request.contentLength ?? 0
        held = HeldText(services.textMemory, tenant: context.tenant)
        self.services = services
    }

    mutating func take(_ event: MultipartEvent) throws {
        switch event {
        case .partBegan(let header): try begin(header)
        case .data(let bytes): try append(bytes)
        case .partEnded: try end()
        }
    }

    mutating func finish() throws -> SubmissionOutcome {
        guard let (_, upload) = source else {
            throw submission.refusal(with: "#/video", "is missing: send a file as video, frame (repeated) or archive")
        }
        try submission.check()
        return try submission.submit(upload.commit())
    }

    func close() { source?.upload.discard() }

    func removeBlobs() {
        if source?.upload.isOpen == true { submission.discard() }
    }

    // MARK: A part

    private mutating func begin(_ header: MultipartPart) throws {
        switch header.name {
        case "video": try beginFile(header) { FileUpload(services: $0, key: $1, expecting: $2, field: .video) }
        case "archive": try beginFile(header) { FileUpload(services: $0, key: $1, expecting: $2, field: .archive) }
        case "frame": try beginFile(header) { FramesUpload(services: $0, key: $1, expecting: $2) }
        case "spec": part = .text(try TextPart(name: "spec", limit: APILimits.specBytes, of: held))
        default:
            guard header.fileName == nil else {
                throw Problem.at(
                    ClientText.pointer(header.name),
                    "There is no file field \(ClientText.quoted(header.name)). Send files as video, frame or archive.")
            }
            let isJSON = header.name == "targets"
            let limit = isJSON ? APILimits.specBytes : APILimits.fieldBytes
            part = .text(try TextPart(name: header.name, limit: limit, of: held))
        }
    }

    private mutating func beginFile(
        _ header: MultipartPart, _ make: (Services, String, Int64) -> any SourceUpload
    ) throws {
        if source == nil {
            try submission.checkSoFar()
            source = (header.name, make(services, submission.id.sourceKey, expected))
        }
        guard let field = source?.field, field == header.name else {
            throw Problem.at(
                ClientText.pointer(header.name),
                "A job has one source, but both \(source?.field ?? "") and \(header.name) were given.")
        }
        try source?.upload.begin(fileName: header.fileName.flatMap(ClientText.fileName))
        part = .file
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) throws {
        switch part {
        case .none: return
        case .text(var text):
            // Held once only, so that it grows in place.
            part = .none
            try text.append(bytes)
            part = .text(text)
        case .file: try source?.upload.write(bytes)
        }
    }

    private mutating func end() throws {
        defer { part = .none }
        switch part {
        case .none: return
        case .text(let text): try add(text)
        case .file: try source?.upload.end()
        }
    }

    private mutating func add(_ text: TextPart) throws {
        guard text.name == "spec" else { return try submission.add(field: text.name, value: text.text()) }
        try submission.add(spec: text.bytes)
        try submission.checkSoFar()
    }
}
