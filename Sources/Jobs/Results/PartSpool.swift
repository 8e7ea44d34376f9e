/// Parts of a document that are made at the same time and wanted one after the other. What memory should not hold goes
/// to a scratch file, in pieces, each of one part.
struct PartSpool: Sendable {
    private let makeFile: @Sendable () throws -> any ScratchFile
    private var file: (any ScratchFile)?
    private var end: Int64 = 0
    /// The pieces of each part, in order.
    private var pieces: [ArraySlice<(offset: Int64, count: Int)>]

    init(parts: Int, makeFile: @escaping @Sendable () throws -> any ScratchFile) {
        self.makeFile = makeFile
        pieces = Array(repeating: [], count: parts)
    }

    /// Puts a piece of each part away.
    ///
    /// - Throws: the file's errors.
    mutating func store(_ parts: [[UInt8]]) throws {
        let file = try file ?? makeFile()
        self.file = file
        for (part, bytes) in parts.enumerated() where !bytes.isEmpty {
            try bytes.withUnsafeBytes { try file.append($0) }
            pieces[part].append((end, bytes.count))
            end += Int64(bytes.count)
        }
    }

    /// Takes the next of a part's pieces; `nil` after the last.
    mutating func next(of part: Int) throws -> [UInt8]? {
        guard let file, let (offset, count) = pieces[part].popFirst() else { return nil }
        let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, read in
            read = try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
        guard bytes.count == count else { throw JobsError(.io, "a scratch file has fewer bytes than were written") }
        return bytes
    }
}
