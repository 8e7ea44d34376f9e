import Synchronization

/// What all readers of a store may hold together beyond the first 64 KiB of each: there is one for every client that is
/// sent a blob, and for every job that is watched, however slowly it is read.
final class S3WindowBudget: Sendable {
    private let left: Mutex<Int64>

    init(bytes: Int64 = 128 << 20) { left = Mutex(bytes) }

    /// A part of it; given back when it is let go of.
    final class Share: Sendable {
        let bytes: Int64
        private let budget: S3WindowBudget

        fileprivate init(_ bytes: Int64, of budget: S3WindowBudget) {
            self.bytes = bytes
            self.budget = budget
        }

        deinit { budget.giveBack(bytes) }
    }

    /// - Returns: fewer bytes where there are not so many left; 0 where there are none.
    func take(upTo bytes: Int64) -> Share {
        let taken = left.withLock { left -> Int64 in
            let part = max(0, min(bytes, left))
            left -= part
            return part
        }
        return Share(taken, of: self)
    }

    private func giveBack(_ bytes: Int64) { left.withLock { $0 += bytes } }
}
