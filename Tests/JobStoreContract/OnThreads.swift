import Dispatch
import Testing

/// Runs something on that many threads at the same time and waits for all, for five minutes at most, which is a failure
/// of the test. (`concurrentPerform` takes no more than there are cores.)
public func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for index in 0..<count { DispatchQueue(label: "thread-\(index)").async(group: group) { body(index) } }
    #expect(group.wait(timeout: .now() + 300) == .success, "threads of the test do not end")
}
