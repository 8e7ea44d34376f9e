import Foundation
import Jobs
import Synchronization

/// The copies of blobs on the local disk: which there are, and which go when there are too many.
///
/// A blob is written to the local store before it is uploaded, and fetched to it where a decoder needs its file; so what
/// is uploaded and tracked on one machine is not fetched at all. Copies are checked against the bucket before they are
/// used, and removed from the least recently used on.
final class LocalCopies: Sendable {
    private struct Copy {
        var bytes: Int64
        var entityTag: String?
        var used: Date
    }

    /// Seconds for which a copy stays after it was used: whoever was given its path needs time to open it.
    private static let keptSeconds = 120.0
    /// Keys have up to eight segments.
    private static let mostLevels = 8

    let store: any BlobStore
    private let mostBytes: Int64
    private let clock: any Jobs.Environment
    private let copies: Mutex<[String: Copy]>
    private let fetches = KeyedLock()

    /// Takes the copies that an earlier process has left for its own.
    init(_ store: any BlobStore, mostBytes: Int64, clock: any Jobs.Environment) throws {
        self.store = store
        self.mostBytes = mostBytes
        self.clock = clock
        var copies: [String: Copy] = [:]
        try Self.walk(store, "", level: 1) { key, bytes in
            copies[key] = Copy(bytes: bytes, entityTag: nil, used: clock.now())
        }
        self.copies = Mutex(copies)
    }

    private static func walk(
        _ store: any BlobStore, _ prefix: String, level: Int, _ visit: (String, Int64) -> Void
    ) throws {
        for name in try store.children(of: prefix) {
            let key = prefix.isEmpty ? name : "\(prefix)/\(name)"
            if let reader = try store.open(key) {
                visit(key, reader.count)
            } else if level < mostLevels {
                try walk(store, key, level: level + 1, visit)
            }
        }
    }

    /// A copy of the version that the bucket has, opened.
    func open(_ key: String, _ info: S3ObjectInfo) throws -> (any BlobReader)? {
        guard try isCurrent(key, info), let reader = try store.open(key), reader.count == info.count else { return nil }
        use(key)
        return reader
    }

    /// The path of a copy, which is fetched where there is none.
    ///
    /// - Parameter fetch: writes the object's bytes.
    /// - Throws: ``JobsError/Code/corrupt`` where what came has another digest than what was put.
    func path(
        _ key: String, _ info: S3ObjectInfo, fetch: (any BlobWriter) throws -> Void
    ) throws -> String? {
        // One thread fetches, and the others take what it has fetched.
        try fetches.withLock(key) {
            if try isCurrent(key, info), let path = try store.localPath(key) {
                use(key)
                return path
            }
            makeRoom(for: info.count, onDisk: info.count)
            let writer = try store.create(key)
            let digest: String
            do {
                try fetch(writer)
                guard writer.count == info.count else {
                    throw JobsError(.io, "\(key): \(writer.count) bytes came of \(info.count)")
                }
                digest = try writer.commit()
            } catch {
                writer.abort()
                throw error
            }
            if let expected = info.sha256, expected != digest {
                try store.remove(key)
                throw JobsError(.corrupt, "\(key): the object is not what was put there: its SHA-256 is \(digest)")
            }
            note(key, bytes: info.count, info.entityTag)
            return try store.localPath(key)
        }
    }

    /// There is a copy of a version that was just put, or fetched.
    func note(_ key: String, bytes: Int64, _ entityTag: String?) {
        copies.withLock { $0[key] = Copy(bytes: bytes, entityTag: entityTag, used: clock.now()) }
        makeRoom()
    }

    /// Removes the copies of a key and of those below it, and what is being written to them.
    func remove(_ key: String) throws {
        copies.withLock { copies in copies = copies.filter { $0.key != key && !$0.key.hasPrefix(key + "/") } }
        try store.remove(key)
    }

    /// Bytes that can be had by removing copies.
    var removableBytes: Int64 { copies.withLock { $0.values.reduce(0) { $0 + $1.bytes } } }

    private func isCurrent(_ key: String, _ info: S3ObjectInfo) throws -> Bool {
        // Appended and copied objects have no digest with them.
        guard let digest = info.sha256 else {
            guard let tag = info.entityTag else { return false }
            return copies.withLock { $0[key]?.entityTag == tag }
        }
        return try store.digest(key) == digest
    }

    private func use(_ key: String) {
        copies.withLock { $0[key]?.used = clock.now() }
    }

    /// Removes what was not used for longest until the copies, and some bytes more, are no more than they may be, and so
    /// many bytes of the disk are free.
    func makeRoom(for bytes: Int64 = 0, onDisk needed: Int64 = 0) {
        let limit = clock.now().addingTimeInterval(-Self.keptSeconds)
        let free = (try? store.availableBytes()) ?? .max
        let victims = copies.withLock { copies -> [String] in
            var excess = copies.values.reduce(bytes) { $0 + $1.bytes } - mostBytes
            excess = max(excess, needed - free)
            guard excess > 0 else { return [] }
            var victims: [String] = []
            for (key, copy) in copies.sorted(by: { ($0.value.used, $0.key) < ($1.value.used, $1.key) })
            where excess > 0 && copy.used <= limit {
                excess -= copy.bytes
                copies[key] = nil
                victims.append(key)
            }
            return victims
        }
        for key in victims { try? store.remove(key) }
    }
}
