import Dispatch
import Synchronization

/// Does something for each element, on several threads, and returns the results in no order. The first error ends it once
/// those that are under way are done. Blocks.
func concurrently<Element: Sendable, R: Sendable>(
    _ elements: [Element], threads: Int, _ body: @escaping @Sendable (Element) throws -> R
) throws -> [R] {
    let state = Mutex(Progress<R>())
    let queue = DispatchQueue(label: "migration", attributes: .concurrent)
    let group = DispatchGroup()
    for _ in 0..<min(threads, elements.count) {
        queue.async(group: group) {
            while let element = state.withLock({ state -> Element? in
                guard state.next < elements.count, state.failure == nil else { return nil }
                defer { state.next += 1 }
                return elements[state.next]
            }) {
                do {
                    let result = try body(element)
                    state.withLock { $0.results.append(result) }
                } catch {
                    state.withLock { $0.failure = $0.failure ?? error }
                }
            }
        }
    }
    group.wait()
    return try state.withLock { state in
        if let failure = state.failure { throw failure }
        return state.results
    }
}

private struct Progress<R: Sendable>: Sendable {
    /// The index of the element that is taken next.
    var next = 0
    var results: [R] = []
    var failure: (any Error)?
}
