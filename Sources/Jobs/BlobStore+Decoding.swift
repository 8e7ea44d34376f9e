extension BlobStore {
    /// Where a decoder finds a job's source: fetched, where it is elsewhere, and with room for what an archive is unpacked
    /// to, where copies of other blobs can go for that. Blocks.
    ///
    /// - Parameter floor: free space that unpacking leaves alone, in bytes.
    /// - Returns: `nil` where there is no such blob.
    /// - Throws: the store's errors. That there is no room is no error: whether it is needed shows.
    public func decodablePath(of source: JobSource, leaving floor: Int64) throws -> String? {
        try decodablePath(of: source.blobKey, source.kind, bytes: source.bytes, leaving: floor)
    }

    /// The same for a blob that is no job's source.
    public func decodablePath(
        of key: String, _ kind: JobSource.Kind, bytes: Int64, leaving floor: Int64
    ) throws -> String? {
        if kind != .video { _ = try? makeRoom(for: floor + bytes + Self.unpackedBytes(of: bytes)) }
        return try localPath(key)
    }

    /// Images are packed already, or to a third, like bitmaps: an archive that unpacks to more has to find the room. With
    /// what an unpacking decoder looks ahead.
    private static func unpackedBytes(of bytes: Int64) -> Int64 { 3 * bytes + (8 << 20) }
}
