import Dispatch
import Synchronization

/// A lock for each key: one at a time does what a key stands for, and the others block meanwhile.
public final class KeyedLock: Sendable {
    private let holders = Mutex<[String: DispatchGroup]>([:])

    public init() {}

    public func withLock<Result>(_ key: String, _ body: () throws -> Result) rethrows -> Result {
        while true {
            let mine = DispatchGroup()
            let holder = holders.withLock { holders in
                if let holder = holders[key] { return holder }
                mine.enter()
                holders[key] = mine
                return mine
            }
            guard holder === mine else {
                holder.wait()
                continue
            }
            defer {
                holders.withLock { $0[key] = nil }
                mine.leave()
            }
            return try body()
        }
    }
}
