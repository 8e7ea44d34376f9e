import Dispatch

/// Runs something on that many threads at the same time and waits for all. (`concurrentPerform` takes no more than there
/// are cores.)
public func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for index in 0..<count { DispatchQueue(label: "thread-\(index)").async(group: group) { body(index) } }
    group.wait()
}
