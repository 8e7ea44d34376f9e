import CLinux
import Crypto
import Jobs

/// The SHA-256 of a blob's file, kept with the file as an extended attribute (xattr(7)), so that nobody reads a blob to
/// learn its digest. File systems and copies may be without it: then it is computed anew.
enum BlobDigest {
    private static let attribute = "user.lktrack.sha256"
    private static let characters = 64
    /// Read at once.
    private static let pieceSize = 1 << 20

    /// In lower-case hexadecimal.
    static func compute(_ descriptor: Int32, path: String) throws -> String {
        var hash = SHA256()
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 16)
        defer { piece.deallocate() }
        var offset: Int64 = 0
        while true {
            let count = try FileSystem.read(into: piece, from: descriptor, at: offset, path: path)
            if count == 0 { return Hexadecimal.text(hash.finalize()) }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: piece[..<count]))
            offset += Int64(count)
        }
    }

    /// Does nothing where the file system has no attributes.
    static func keep(_ digest: String, with descriptor: Int32) {
        _ = digest.withCString { clinux_set_attribute(descriptor, attribute, $0, characters) }
    }

    static func kept(with descriptor: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: characters)
        guard clinux_attribute(descriptor, attribute, &bytes, characters) == characters else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.allSatisfy { $0.isHexDigit } ? text : nil
    }
}
