import Foundation
import ServiceHarness
import Synchronization

/// Threads that do the same again and again until they are told to stop.
final class Crew: Sendable {
    private let isStopping = Atomic(false)
    private let group = DispatchGroup()

    init(_ count: Int, _ body: @escaping @Sendable (_ member: Int, _ crew: Crew) -> Void) {
        for member in 0..<count {
            group.enter()
            Thread.detachNewThread { [self] in
                while !isStopping.load(ordering: .relaxed) { body(member, self) }
                group.leave()
            }
        }
    }

    /// Threads that do something once, all at the same time; waits for them.
    static func once(_ count: Int, _ body: @escaping @Sendable () -> Void) { begin(count, body).wait() }

    /// The same without waiting: the group is empty when all of them have done it.
    @discardableResult
    static func begin(_ count: Int, _ body: @escaping @Sendable () -> Void) -> DispatchGroup {
        let group = DispatchGroup()
        for _ in 0..<count {
            group.enter()
            Thread.detachNewThread {
                body()
                group.leave()
            }
        }
        return group
    }

    /// For members whose turns may take long.
    var hasToStop: Bool { isStopping.load(ordering: .relaxed) }

    func stop() {
        isStopping.store(true, ordering: .relaxed)
        group.wait()
    }
}

/// What threads found.
final class Tally<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])

    func add(_ value: Value) { values.withLock { $0.append(value) } }
    var all: [Value] { values.withLock { $0 } }
    var count: Int { values.withLock { $0.count } }
}

/// Counts, from any thread.
final class Counter: Sendable {
    private let count = Atomic(0)
    /// How many came before.
    @discardableResult
    func next() -> Int { count.add(1, ordering: .relaxed).oldValue }
    var value: Int { count.load(ordering: .relaxed) }
}

func pause(_ seconds: Double) { usleep(useconds_t(seconds * 1e6)) }

/// Looks until it is so. Throws where that takes longer than `seconds`: no proof waits for ever.
func wait(for what: String, seconds: Double = 300, until isSo: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !isSo() {
        guard ContinuousClock.now < deadline else { throw ProofError("waited in vain for \(what)") }
        pause(0.005)
    }
}

/// The value that a share of all is not above, in the order of size.
func percentile(_ values: [Double], _ share: Double) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    return sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
}

extension Double {
    func text(_ digits: Int = 0) -> String { String(format: "%.\(digits)f", self) }
}

/// Seconds that something takes.
func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start) / .seconds(1)
}

extension WireClient {
    /// Whether a request on this connection is answered.
    func isServed() -> Bool {
        send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        return receive().map { $0.starts(with: Array("HTTP/1.1 200 ".utf8)) } ?? false
    }
}
