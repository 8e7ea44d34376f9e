import Dispatch
import Foundation
import Jobs
import Synchronization

/// Real blobs on a disk that can be told to fill up.
final class FaultyBlobs: BlobStore {
    private let base: any BlobStore
    /// What the disk says is free, however much it is; `nil`: the truth.
    let free = Mutex<Int64?>(nil)
    /// A disk that fills up as blobs are written.
    struct Disk {
        var free: Int64
        /// The least that was ever free.
        private(set) var least: Int64

        init(free: Int64) { (self.free, least) = (free, free) }

        fileprivate mutating func take(_ bytes: Int64) {
            free -= bytes
            least = min(least, free)
        }
    }
    /// Where it is set, says what is free unless ``free`` does.
    let disk = Mutex<Disk?>(nil)
    /// Writes fail with `storage_full` once so many bytes of a blob are written.
    let fullAfter = Mutex<Int64>(.max)
    /// Nothing of what is resumed becomes durable.
    let failsCheckpoints = Mutex(false)

    /// The keys of all blobs that were begun.
    let created = Mutex<[String]>([])
    /// The threads that removed what was written.
    let removers = Mutex<Set<ObjectIdentifier>>([])
    /// Bytes of uploads that were read.
    let uploadBytesRead = Mutex<Int64>(0)
    private let hold = Mutex<CommitHold?>(nil)
    private let readHold = Mutex<ReadHold?>(nil)
    private let openHold = Mutex<ReadHold?>(nil)
    /// Whether another machine has the blobs.
    let remote = Mutex(false)
    var isRemote: Bool { remote.withLock { $0 } }

    init(_ base: any BlobStore) { self.base = base }

    private func noteRemoval() { removers.withLock { _ = $0.insert(ObjectIdentifier(Thread.current)) } }

    /// From now on, commits wait until they are released.
    func holdCommits() -> CommitHold {
        let new = CommitHold()
        hold.withLock { $0 = new }
        return new
    }

    /// From now on, results are not files but come from afar, and reads of them wait until they are released.
    func holdReads() -> ReadHold {
        let new = ReadHold()
        readHold.withLock { $0 = new }
        remote.withLock { $0 = true }
        return new
    }

    /// From now on, results come from afar, and are not opened before they are released.
    func holdOpens() -> ReadHold {
        let new = ReadHold()
        openHold.withLock { $0 = new }
        remote.withLock { $0 = true }
        return new
    }

    /// From now on, blobs are files again; what was held is held still.
    func endHolds() {
        readHold.withLock { $0 = nil }
        openHold.withLock { $0 = nil }
        remote.withLock { $0 = false }
    }

    private func waitToOpen(_ key: String) {
        if key.hasSuffix(".ndjson") { openHold.withLock { $0 }?.wait() }
    }

    func create(_ key: String) throws -> any BlobWriter {
        created.withLock { $0.append(key) }
        return Writer(try base.create(key), self)
    }

    func resume(_ key: String) throws -> (any BlobAppender)? { try base.resume(key).map { Appender($0, self) } }
    func copy(_ key: String, to other: String) throws -> Bool { try base.copy(key, to: other) }
    func open(_ key: String) throws -> (any BlobReader)? {
        waitToOpen(key)
        let reader = try base.open(key).map { key.hasPrefix("uploads/") ? CountedReader($0, self) : $0 }
        return held(reader, key)
    }
    func openPartial(_ key: String) throws -> (any BlobReader)? {
        waitToOpen(key)
        return held(try base.openPartial(key), key)
    }
    private func held(_ reader: (any BlobReader)?, _ key: String) -> (any BlobReader)? {
        guard let hold = readHold.withLock({ $0 }), key.hasSuffix(".ndjson") else { return reader }
        return reader.map { HeldReader($0, hold) }
    }
    func digest(_ key: String) throws -> String? { try base.digest(key) }
    func remove(_ key: String) throws {
        noteRemoval()
        try base.remove(key)
    }
    func children(of prefix: String) throws -> [String] { try base.children(of: prefix) }
    func localPath(_ key: String) throws -> String? { try base.localPath(key) }
    func scratch() throws -> any ScratchFile { try base.scratch() }
    func availableBytes() throws -> Int64 {
        try free.withLock { $0 } ?? disk.withLock { $0?.free } ?? base.availableBytes()
    }

    private final class CountedReader: BlobReader {
        private let base: any BlobReader
        private let store: FaultyBlobs

        init(_ base: any BlobReader, _ store: FaultyBlobs) {
            self.base = base
            self.store = store
        }

        var count: Int64 { base.count }
        var fileDescriptor: Int32? { base.fileDescriptor }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
            let count = try base.read(into: buffer, at: offset)
            store.uploadBytesRead.withLock { $0 += Int64(count) }
            return count
        }
    }

    private final class Appender: BlobAppender {
        private let base: any BlobAppender
        private let store: FaultyBlobs

        init(_ base: any BlobAppender, _ store: FaultyBlobs) {
            self.base = base
            self.store = store
        }

        var count: Int64 { base.count }

        func write(_ bytes: UnsafeRawBufferPointer) throws {
            guard count + Int64(bytes.count) <= store.fullAfter.withLock({ $0 }) else {
                throw JobsError(.storageFull, "no space left on the test's disk")
            }
            try base.write(bytes)
            store.disk.withLock { $0?.take(Int64(bytes.count)) }
        }

        func checkpoint() throws {
            guard !store.failsCheckpoints.withLock({ $0 }) else { throw JobsError(.io, "the test's disk fails") }
            try base.checkpoint()
        }

        func rewind(to offset: Int64) throws { try base.rewind(to: offset) }
        func commit() throws { try base.commit() }
        func close() { base.close() }
    }

    private final class Writer: BlobWriter {
        private let isOpen = Atomic(true)
        private let base: any BlobWriter
        private let store: FaultyBlobs

        init(_ base: any BlobWriter, _ store: FaultyBlobs) {
            self.base = base
            self.store = store
        }

        var count: Int64 { base.count }

        func write(_ bytes: UnsafeRawBufferPointer) throws {
            guard count + Int64(bytes.count) <= store.fullAfter.withLock({ $0 }) else {
                throw JobsError(.storageFull, "no space left on the test's disk")
            }
            try base.write(bytes)
            store.disk.withLock { $0?.take(Int64(bytes.count)) }
        }

        func overwrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
            try base.overwrite(bytes, at: offset)
        }

        func flush() throws { try base.flush() }
        func commit() throws -> String {
            store.hold.withLock { $0 }?.wait()
            isOpen.store(false, ordering: .relaxed)
            return try base.commit()
        }
        func abort() {
            store.noteRemoval()
            if isOpen.exchange(false, ordering: .relaxed) { store.disk.withLock { $0?.free += count } }
            base.abort()
        }
        func partialPath() throws -> String { try base.partialPath() }
        func localPath() throws -> String { try base.localPath() }
    }
}

/// Reads, or openings, that wait for the test.
final class ReadHold: Sendable {
    private let arrived = DispatchSemaphore(value: 0)
    private let released = DispatchSemaphore(value: 0)
    private let closed = DispatchSemaphore(value: 0)
    private let count = Mutex(0)
    private let failures = Mutex(0)
    /// Longer than a test on a busy machine: what is held by then is not let go of.
    private static let patience = DispatchTimeInterval.seconds(300)

    /// That were begun.
    var reads: Int { count.withLock { $0 } }

    /// Returns when a read waits; false where none does.
    func awaitRead() -> Bool { arrived.wait(timeout: .now() + Self.patience) == .success }

    /// Returns when a reader was let go of; false where none is.
    func awaitClose() -> Bool { closed.wait(timeout: .now() + Self.patience) == .success }

    /// Lets all reads go on.
    func release() { released.signal() }

    /// Of the reads that go on from now on, so many fail.
    func fail(_ reads: Int) { failures.withLock { $0 = reads } }

    fileprivate func requireNoFailure() throws {
        let fails = failures.withLock { failures in
            failures -= 1
            return failures >= 0
        }
        if fails { throw JobsError(.io, "the test's bucket fails") }
    }

    fileprivate func wait() {
        count.withLock { $0 += 1 }
        arrived.signal()
        if released.wait(timeout: .now() + Self.patience) == .success { released.signal() }
    }

    fileprivate func close() { closed.signal() }
}

private final class HeldReader: BlobReader {
    private let base: any BlobReader
    private let hold: ReadHold

    init(_ base: any BlobReader, _ hold: ReadHold) {
        self.base = base
        self.hold = hold
    }

    deinit { hold.close() }

    var count: Int64 { base.count }
    var fileDescriptor: Int32? { nil }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        hold.wait()
        try hold.requireNoFailure()
        return try base.read(into: buffer, at: offset)
    }
}

/// Commits that wait for the test.
final class CommitHold: Sendable {
    private let arrived = DispatchSemaphore(value: 0)
    private let released = DispatchSemaphore(value: 0)
    private static let patience = DispatchTimeInterval.seconds(30)

    /// Returns when a commit waits; false where none does.
    func awaitCommit() -> Bool { arrived.wait(timeout: .now() + Self.patience) == .success }

    /// Lets one commit, and all that come after it, go on.
    func release() { released.signal() }

    fileprivate func wait() {
        arrived.signal()
        if released.wait(timeout: .now() + Self.patience) == .success { released.signal() }
    }
}
