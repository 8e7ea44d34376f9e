import Foundation
import Jobs

/// One blob on its way in: written to the local store, where bytes can be overwritten and encoders find a path, and
/// uploaded at the commit, when its digest is known.
///
/// What is flushed is put beside, as objects of its own, for readers on other machines: the first at once, then as often
/// as ``publishSeconds(age:)`` says. They go at the commit, or the abort.
///
/// `@unchecked Sendable`: it has no lock; ``BlobWriter`` asks for one thread at a time.
final class S3BlobWriter: BlobWriter, @unchecked Sendable {
    private let key: BlobKey
    private let name: String
    private let local: any BlobWriter
    private let store: S3BlobStore
    private let nonce: String
    /// Objects that hold what was flushed.
    private var published: [String] = []
    private var publishedBytes: Int64 = 0
    private var publishedAt: Date?
    private let began: Date
    /// Others can no longer be told how far it is: bytes that they may have read were overwritten.
    private var isSilent = false

    init(_ key: BlobKey, name: String, local: any BlobWriter, store: S3BlobStore) {
        self.key = key
        self.name = name
        self.local = local
        self.store = store
        nonce = store.nonce()
        began = store.clock.now()
    }

    deinit { removePublished() }

    var count: Int64 { local.count }

    func write(_ bytes: UnsafeRawBufferPointer) throws { try local.write(bytes) }

    func overwrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try local.overwrite(bytes, at: offset)
        guard offset < publishedBytes else { return }
        isSilent = true
        removePublished()
    }

    func flush() throws {
        try local.flush()
        let now = store.clock.now()
        let age = now.timeIntervalSince(began)
        let isDue = publishedAt.map { now.timeIntervalSince($0) >= Self.publishSeconds(age: age) } ?? true
        if isDue && !isSilent {
            publishedAt = now
            publish()
        }
    }

    /// Seconds between two objects of one blob: each second at first, then a hundredth of its age, so that a job of
    /// hours makes some thousand objects; at most ten, so that watchers see it grow.
    static func publishSeconds(age: Double) -> Double { min(max(age / 100, 1), 10) }

    func commit() throws -> String {
        let digest = try local.commit()
        do {
            guard let blob = try store.copies.store.open(name) else {
                throw JobsError(.io, "\(name) was removed while it was being written")
            }
            let tag = try store.client.upload(blob, to: store.layout.object(key), digest: digest)
            store.copies.note(name, bytes: blob.count, tag)
        } catch {
            try? store.copies.remove(name)
            removePublished()
            throw error
        }
        removePublished()
        return digest
    }

    func abort() {
        local.abort()
        removePublished()
    }

    func partialPath() throws -> String { try local.partialPath() }
    func localPath() throws -> String { try local.localPath() }

    // MARK: For readers elsewhere

    /// Once, and without a word where it fails: the blob grows all the same, and the next time brings the rest.
    private func publish() {
        guard let partial = try? store.copies.store.openPartial(name), partial.count > publishedBytes else { return }
        let object = store.layout.drafts(key) + S3Draft.live(nonce: nonce, offset: publishedBytes).name
        do {
            let body = try Payload(publishedBytes..<partial.count, of: partial.read)
            try store.client.put(object, body, retries: S3Retries.none)
            published.append(object)
            publishedBytes = partial.count
        } catch {
            return
        }
    }

    private func removePublished() {
        guard !published.isEmpty else { return }
        try? store.client.delete(published)
        published = []
    }
}
