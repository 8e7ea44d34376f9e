import Jobs

/// One message on its way.
public struct WebhookRequest: Sendable {
    public var url: WebhookURL
    /// Beside those that every request has.
    public var fields: [(name: String, value: String)]
    public var body: [UInt8]

    public init(url: WebhookURL, fields: [(name: String, value: String)], body: [UInt8]) {
        self.url = url
        self.fields = fields
        self.body = body
    }
}

/// What came of it.
public enum WebhookAnswer: Hashable, Sendable {
    /// - Parameter retryAfter: seconds that the receiver asks to wait.
    case status(Int, retryAfter: Double?)
    /// No answer; why, for the job's owner.
    case unreachable(String)
    /// It was told to end before there was an answer.
    case interrupted
}

/// Sends a message to one of the given addresses and nowhere else, whatever the name in the URL stands for by then.
public protocol WebhookTransport: Sendable {
    /// Blocks.
    ///
    /// - Parameters:
    ///   - addresses: at least one.
    ///   - isInterrupted: asked now and then.
    func send(
        _ request: WebhookRequest, to addresses: [IPAddress], isInterrupted: @escaping @Sendable () -> Bool
    ) -> WebhookAnswer
}
