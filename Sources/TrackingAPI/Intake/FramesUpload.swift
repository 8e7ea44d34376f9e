import Jobs

/// Repeated `frame` files, packed into a tar as they come.
struct FramesUpload: SourceUpload {
    private let services: Services
    private let key: String
    private let expected: Int64
    private var packing: (writer: any BlobWriter, tar: TarWriter)?
    private var count = 0
    /// Whether the frames have file names; all of them or none.
    private var areNamed = false
    private var fileName: String?
    private var head = RecognitionHead()
    /// The tar, while the frame's entry is open.
    private var entry: TarWriter?

    var isOpen: Bool { packing != nil }

    /// - Parameter expected: bytes that the request announces; 0 where it does not tell.
    init(services: Services, key: String, expecting expected: Int64) {
        self.services = services
        self.key = key
        self.expected = expected
    }

    private var field: SourceField { .frame(count) }

    mutating func begin(fileName: String?) throws {
        let limit = services.configuration.frames
        guard count < limit else {
            throw Problem.at(
                field.pointer, "More than \(limit) frames came (limits.frames). Send a video, or fewer.", as: .tooLarge)
        }
        guard count == 0 || areNamed == (fileName != nil) else {
            throw Problem.at(
                field.pointer,
                "Either all files of the field frame have a file name, which gives their order, or none has.")
        }
        areNamed = fileName != nil
        self.fileName = fileName
        head = RecognitionHead()
        entry = nil
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        if let entry { return try entry.write(bytes) }
        let rest = head.take(bytes)
        if head.isFull { try open().write(rest) }
    }

    mutating func end() throws {
        try (entry ?? open()).end()
        entry = nil
        count += 1
    }

    func commit() throws -> JobSource {
        guard let (writer, tar) = packing else { throw field.empty(fileName: nil) }
        try tar.finish()
        let bytes = writer.count
        return JobSource(kind: .frames, blobKey: key, bytes: bytes, sha256: try writer.commit())
    }

    func discard() { packing?.writer.abort() }

    /// Starts the frame's entry, now that it is known to be an image.
    private mutating func open() throws -> TarWriter {
        guard !head.bytes.isEmpty else { throw field.empty(fileName: fileName) }
        _ = try field.check(services.media.recognise(prefix: head.bytes), fileName: fileName)
        let tar = try packing?.tar ?? start()
        try tar.begin(name: fileName)
        try head.bytes.withUnsafeBytes(tar.write)
        entry = tar
        return tar
    }

    private mutating func start() throws -> TarWriter {
        let writer = try ReserveKeepingWriter(creating: key, expecting: expected, services: services)
        let tar = TarWriter(writer)
        packing = (writer, tar)
        return tar
    }
}
