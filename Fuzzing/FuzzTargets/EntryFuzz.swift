import Media

/// Names that become none of a path, and the look at files before any library sees them.
enum EntryFuzz {
    static func run(_ bytes: [UInt8]) {
        let name = String(decoding: bytes, as: UTF8.self)
        if let normal = try? ArchiveEntryName.normalised(name) {
            // As the system reads it: byte by byte.
            let parts = normal.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            precondition(parts.count == 1 || parts.allSatisfy { !$0.isEmpty }, "an absolute name, or an empty part")
            precondition(!parts.contains { $0.elementsEqual("..".utf8) }, "a name that leads elsewhere")
            let again = try? ArchiveEntryName.normalised(normal)
            precondition(normal.isEmpty || again.map { $0.utf8.elementsEqual(normal.utf8) } == true, "not normal yet")
            _ = ArchiveEntryName.isHidden(normal)
        }
        if case .image(let format) = SourceFormat.recognise(bytes) {
            _ = ImageIntegrity.flaw(of: bytes, format: format)
        }
    }
}
