import Crypto
import Jobs
import Synchronization

/// The SHA-256 of uploads' first bytes, made while they came, so that nobody need read a long upload again when a job takes
/// it. What came through another process, or before a start of this one, is not known.
final class UploadDigests: Sendable {
    /// Of so many bytes.
    struct Digest: Sendable {
        private(set) var count: Int64 = 0
        private var hash = SHA256()

        mutating func update(_ bytes: UnsafeRawBufferPointer) {
            hash.update(bufferPointer: bytes)
            count += Int64(bytes.count)
        }

        /// Lower-case hexadecimal.
        var text: String { Hexadecimal.text(hash.finalize()) }
    }

    private static let most = 1024

    private let digests = Mutex<[UploadID: Digest]>([:])

    /// The digest of an upload's first bytes; `nil` where it is not known.
    func digest(of id: UploadID, count: Int64) -> Digest? {
        guard count > 0 else { return Digest() }
        return digests.withLock { $0[id].flatMap { $0.count == count ? $0 : nil } }
    }

    /// Keeps what is known of an upload now: of bytes that no client sends again.
    func keep(_ digest: Digest?, of id: UploadID) {
        digests.withLock { digests in
            if digests.count >= Self.most, digests[id] == nil { digests.removeAll() }
            digests[id] = digest
        }
    }
}
