import Foundation
import Jobs

/// One blob that comes in pieces: each checkpoint makes an object of what came since the one before, and the commit puts
/// them together within S3.
///
/// (Parts of a multipart upload would do without the objects, but they have at least 5 MiB and cannot be read again: a
/// checkpoint after less could not be gone back to.)
///
/// Who appends has an object that says so, `lock-NONCE`, put there before the others are looked for: of two who come
/// together at least one sees the other, and no more is asked of S3 than that a list shows what was put before. It is put
/// anew while bytes come; once it is older than ``staleSeconds`` by the server's clock, its owner is taken for dead and it
/// is removed. Whether it is still there is asked after each checkpoint and before the commit, so that whoever was taken
/// for dead wrongly does no harm.
///
/// `@unchecked Sendable`: it has no lock; ``BlobAppender`` asks for one thread at a time.
final class S3BlobAppender: BlobAppender, @unchecked Sendable {
    /// Seconds after which another may take over.
    static let staleSeconds = 30.0
    /// Seconds after which the owner puts its lock anew.
    private static let renewedSeconds = 8.0
    /// Bytes that become an object without a checkpoint.
    private static let segmentSize: Int64 = 16 << 20

    private let key: BlobKey
    private let store: S3BlobStore
    private let nonce: String
    private let lockName: String
    private var lockedAt: Date
    /// Durable: one after the other, from 0.
    private var segments: [S3ReaderPiece]
    /// What came since: in a file of this machine's.
    private var pending: (any ScratchFile)?
    private var pendingCount: Int64 = 0
    /// Segments that were there when the lock was seen last: if it was lost since, another counts on them.
    private var sure: Int
    private var isOpen = true

    /// - Returns: `nil` where the blob is finished.
    /// - Throws: ``JobsError/Code/locked``.
    static func open(_ key: BlobKey, store: S3BlobStore) throws -> S3BlobAppender? {
        let prefix = store.layout.drafts(key)
        let nonce = store.nonce()
        let lock = prefix + S3Draft.lock(nonce: nonce).name
        try store.client.put(lock, .none)
        do {
            let list = try store.client.list(prefix)
            let drafts = S3Drafts(list, prefix: prefix, now: store.client.now)
            guard drafts.locks(besides: nonce).allSatisfy(drafts.isStale) else {
                throw JobsError(.locked, "s3://\(store.client.location.bucket)/\(prefix) is being written by another")
            }
            // Looked at under the lock: who finishes a blob holds it.
            if try store.client.head(store.layout.object(key)) != nil {
                try store.client.delete(list.entries.map(\.name))
                return nil
            }
            let segments = drafts.segments
            let kept = Set(segments.map(\.object) + [lock])
            // Locks of the dead, what they flushed, and segments that follow none.
            try store.client.delete(list.entries.map(\.name).filter { !kept.contains($0) })
            return S3BlobAppender(key, store: store, nonce: nonce, lock: lock, segments: segments)
        } catch {
            try? store.client.delete([lock])
            throw error
        }
    }

    private init(_ key: BlobKey, store: S3BlobStore, nonce: String, lock: String, segments: [S3ReaderPiece]) {
        self.key = key
        self.store = store
        self.nonce = nonce
        self.segments = segments
        sure = segments.count
        lockName = lock
        lockedAt = store.clock.now()
    }

    deinit { close() }

    private var durableCount: Int64 { segments.last?.end ?? 0 }

    var count: Int64 { durableCount + pendingCount }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try checkOpen()
        guard !bytes.isEmpty else { return }
        let file = try pending ?? store.copies.store.scratch()
        pending = file
        try file.append(bytes)
        pendingCount += Int64(bytes.count)
        if pendingCount >= Self.segmentSize { try send() }
        try renewLock()
    }

    func checkpoint() throws {
        try checkOpen()
        try send()
        try renewLock()
        try checkLock()
    }

    func rewind(to offset: Int64) throws {
        try checkOpen()
        guard (0...count).contains(offset) else { throw outside(offset) }
        if offset == count { return }
        let kept = segments.prefix { $0.end <= offset }
        guard kept.last?.end ?? 0 == offset else { throw outside(offset) }
        try store.client.delete(segments.dropFirst(kept.count).map(\.object))
        segments = Array(kept)
        sure = min(sure, segments.count)
        dropPending()
    }

    func commit() throws {
        try checkpoint()
        try store.client.compose(
            segments.map { S3Piece(object: $0.object, count: $0.count) }, into: store.layout.object(key)
        ) {
            try renewLock()
            try checkLock()
        }
        isOpen = false
        // The blob is there: what cannot be removed now goes when somebody asks to resume it, or with the drafts.
        try? store.client.delete(segments.map(\.object) + [lockName])
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        dropPending()
        try? store.client.delete([lockName])
    }

    // MARK: Helpers

    /// Makes an object of what came.
    private func send() throws {
        guard let file = pending, pendingCount > 0 else { return }
        let object = store.layout.drafts(key) + S3Draft.segment(offset: durableCount, nonce: nonce).name
        let tag = try store.client.put(object, Payload(0..<pendingCount, of: file.read))
        segments.append(S3ReaderPiece(object: object, entityTag: tag, start: durableCount, count: pendingCount))
        dropPending()
    }

    private func dropPending() {
        pending = nil
        pendingCount = 0
    }

    private func renewLock() throws {
        let now = store.clock.now()
        guard now.timeIntervalSince(lockedAt) >= Self.renewedSeconds else { return }
        // One that was removed must not come back.
        try checkLock()
        try store.client.put(lockName, .none)
        lockedAt = now
    }

    private func checkLock() throws {
        guard try store.client.head(lockName) == nil else {
            sure = segments.count
            return
        }
        isOpen = false
        try? store.client.delete(segments.dropFirst(sure).map(\.object))
        throw JobsError(
            .io, "\(key.segments.joined(separator: "/")) was removed while it came, or another goes on with it")
    }

    private func checkOpen() throws(JobsError) {
        guard isOpen else { throw JobsError(.io, "\(key.segments.joined(separator: "/")) was closed already") }
    }

    private func outside(_ offset: Int64) -> JobsError {
        JobsError(
            .io,
            "cannot go to \(offset) in \(key.segments.joined(separator: "/")), which has \(count) bytes and no "
                + "checkpoint there")
    }
}
