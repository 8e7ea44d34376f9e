import Jobs
import Synchronization

/// A store whose machine cannot be reached the first times that a decoder's file is asked for, and whose disk can be
/// said to be full.
final class DistantBlobs: BlobStore {
    private let base: any BlobStore
    private let failures: Mutex<Int>
    private let isFull = Atomic(false)
    /// Keys that cannot be removed.
    private let stuck: Set<String>
    private let onOpenPartial: @Sendable () -> Void

    /// - Parameter onOpenPartial: is called once it is open, and may block.
    init(
        _ base: any BlobStore, failures: Int = 0, stuck: Set<String> = [],
        onOpenPartial: @escaping @Sendable () -> Void = {}
    ) {
        self.base = base
        self.stuck = stuck
        self.failures = Mutex(failures)
        self.onOpenPartial = onOpenPartial
    }

    /// From now on, nothing is free. Writes go through all the same.
    func fill() { isFull.store(true, ordering: .releasing) }

    func availableBytes() throws -> Int64 { try isFull.load(ordering: .acquiring) ? 0 : base.availableBytes() }

    func localPath(_ key: String) throws -> String? {
        let fails = failures.withLock { failures in
            failures -= 1
            return failures >= 0
        }
        if fails { throw JobsError(.unreachable, "the storage does not answer") }
        return try base.localPath(key)
    }

    func create(_ key: String) throws -> any BlobWriter { try base.create(key) }
    func resume(_ key: String) throws -> (any BlobAppender)? { try base.resume(key) }
    func open(_ key: String) throws -> (any BlobReader)? { try base.open(key) }
    func openPartial(_ key: String) throws -> (any BlobReader)? {
        let reader = try base.openPartial(key)
        onOpenPartial()
        return reader
    }
    func digest(_ key: String) throws -> String? { try base.digest(key) }
    func copy(_ key: String, to other: String) throws -> Bool { try base.copy(key, to: other) }
    func remove(_ key: String) throws {
        if stuck.contains(key) { throw JobsError(.io, "cannot remove \(key)") }
        try base.remove(key)
    }
    func children(of prefix: String) throws -> [String] { try base.children(of: prefix) }
    func scratch() throws -> any ScratchFile { try base.scratch() }
}
