import Jobs
import Synchronization

/// The free space of the disk that bodies are written to, less what those that are on their way in are still going to
/// write: many at once would otherwise all count on the same free bytes, and go into the reserve together.
final class DiskSpace: Sendable {
    /// What a body that does not tell its length gets at a time, and bytes between two looks at the disk.
    static let interval: Int64 = 1 << 20
    /// What a blob's writer may hold back in memory of what it was given.
    fileprivate static let heldBack: Int64 = 64 << 10

    private let blobs: any BlobStore
    private let reserve: Int64
    /// Set aside and not written yet. The disk is looked at under the lock: bytes move from here to there.
    private let promised = Mutex<Int64>(0)

    /// - Parameter reserve: `limits.disk_reserve_bytes`.
    init(_ blobs: any BlobStore, reserve: Int64) {
        self.blobs = blobs
        self.reserve = reserve
    }

    /// - Parameter bytes: how many are expected; 0 where that is not known. Nothing is set aside.
    /// - Throws: 507 where they, and what others are still going to write, would touch the reserve.
    func check(for bytes: Int64) throws {
        try promised.withLock { try requireRoom(for: bytes, beside: $0) }
    }

    /// For one body. Nothing is set aside yet.
    func share() -> DiskShare { DiskShare(self) }

    /// - Throws: 507 where the reserve is touched, by whomever.
    fileprivate func checkReserve() throws {
        let free = try blobs.availableBytes() - reserve
        guard free >= 0 else { throw Problem.noSpace(cause: "\(-free) bytes of the reserve are in use") }
    }

    fileprivate func take(_ bytes: Int64) throws {
        try promised.withLock { promised in
            try requireRoom(for: bytes, beside: promised)
            promised += bytes
        }
    }

    fileprivate func giveBack(_ bytes: Int64) { promised.withLock { $0 -= bytes } }

    private func requireRoom(for bytes: Int64, beside promised: Int64) throws {
        let free = try blobs.availableBytes() - reserve - promised
        guard free > 0, bytes <= free else {
            throw Problem.noSpace(
                cause: "\(free) bytes are free beside the reserve and \(promised) that others are still to write, "
                    + "\(bytes) are expected")
        }
    }
}

/// One body's part of the disk's free space. What is not used is given back with ``end()``, at the latest when nobody
/// refers to it any more.
final class DiskShare: Sendable {
    private struct State {
        /// Set aside, and not known to be on the disk.
        var promised: Int64 = 0
        /// Of those, what was used.
        var used: Int64 = 0
    }

    private let space: DiskSpace
    private let state = Mutex(State())

    fileprivate init(_ space: DiskSpace) { self.space = space }

    deinit { end() }

    /// Sets aside what the body announces; 0 where it does not tell.
    ///
    /// - Throws: 507 where there is no room for it.
    func announce(_ bytes: Int64) throws {
        guard bytes > 0 else { return }
        try state.withLock { state in
            try space.take(bytes)
            state.promised += bytes
        }
    }

    /// To be called before bytes are written. Asks the disk once an interval only.
    ///
    /// - Throws: 507 where there is no room for them, or the reserve is touched by now.
    func use(_ bytes: Int64) throws {
        try state.withLock { state in
            if state.used >= DiskSpace.interval {
                let written = state.used - DiskSpace.heldBack
                space.giveBack(written)
                state.promised -= written
                state.used -= written
                try space.checkReserve()
            }
            let missing = state.used + bytes - state.promised
            if missing > 0 {
                let more = max(missing, DiskSpace.interval)
                try space.take(more)
                state.promised += more
            }
            state.used += bytes
        }
    }

    /// To be called when all is written, before it is kept.
    ///
    /// - Throws: 507 where the reserve is touched by now.
    func check() throws { try space.checkReserve() }

    /// Gives back what is set aside: all is written, or nothing more will be.
    func end() {
        state.withLock { state in
            space.giveBack(state.promised)
            state = State()
        }
    }
}
