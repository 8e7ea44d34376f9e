import Jobs

/// A single file: a video or an archive.
struct FileUpload: SourceUpload {
    private let services: Services
    private let key: String
    private let expected: Int64
    private let field: SourceField
    private var hasBegun = false
    private var fileName: String?
    private var head = RecognitionHead()
    private var opened: (media: RecognisedMedia, writer: any BlobWriter)?

    var isOpen: Bool { opened != nil }

    /// - Parameter expected: bytes that the request announces; 0 where it does not tell.
    init(services: Services, key: String, expecting expected: Int64, field: SourceField) {
        self.services = services
        self.key = key
        self.expected = expected
        self.field = field
    }

    mutating func begin(fileName: String?) throws {
        guard !hasBegun else {
            throw Problem.at(field.pointer, "\(field.subject) was given twice; \(field.rule).")
        }
        hasBegun = true
        self.fileName = fileName
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        if let opened { return try opened.writer.write(bytes) }
        let rest = head.take(bytes)
        if head.isFull { try open().write(rest) }
    }

    mutating func end() throws {
        if opened == nil { _ = try open() }
    }

    func commit() throws -> JobSource {
        guard let (media, writer) = opened else { throw field.empty(fileName: fileName) }
        let bytes = writer.count
        return JobSource(
            kind: media.kind == .archive ? .archive : .video, blobKey: key, bytes: bytes, sha256: try writer.commit(),
            fileName: fileName)
    }

    /// Where the file can be read that will not be committed. Once it is whole.
    func unfinishedPath() throws -> String {
        guard let (_, writer) = opened else { throw field.empty(fileName: fileName) }
        return try writer.partialPath()
    }

    func discard() { opened?.writer.abort() }

    private mutating func open() throws -> any BlobWriter {
        guard !head.bytes.isEmpty else { throw field.empty(fileName: fileName) }
        let media = try field.check(services.media.recognise(prefix: head.bytes), fileName: fileName)
        let writer = try ReserveKeepingWriter(creating: key, expecting: expected, services: services)
        opened = (media, writer)
        try head.bytes.withUnsafeBytes(writer.write)
        return writer
    }
}
