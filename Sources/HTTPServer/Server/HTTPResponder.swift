import Synchronization

/// Takes the answer to a request that is answered later. Where it is let go without one, the client gets a 500.
public final class HTTPResponder: Sendable {
    private let answer: Mutex<(@Sendable (HTTPResponse?) -> Void)?>

    /// - Parameter answer: called once, with `nil` where no response was given.
    public init(_ answer: @escaping @Sendable (HTTPResponse?) -> Void) { self.answer = Mutex(answer) }

    deinit { take()?(nil) }

    /// From any thread. Only the first response counts.
    public func respond(_ response: HTTPResponse) { take()?(response) }

    private func take() -> (@Sendable (HTTPResponse?) -> Void)? {
        answer.withLock { answer in
            defer { answer = nil }
            return answer
        }
    }
}
