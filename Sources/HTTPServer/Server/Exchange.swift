import Synchronization

/// One request and its response: a state machine that the daemon's callbacks move on.
///
/// libmicrohttpd calls for the head, then for every piece of the body, then once more when the body is whole; after a
/// suspension it makes the last call again. Created when the request line is there, released when the request is over.
final class Exchange: @unchecked Sendable {
    // @unchecked Sendable: confined to the connection's thread, but for `answer`, which has its lock. libmicrohttpd makes
    // all calls for one connection from one thread, and other threads get no further than `deliver` and `resume`.
    // What the request's half and the response's, in files of their own, go on with is not private.

    /// What follows the end of a body that is thrown away.
    enum Next {
        case respond(HTTPResponse)
        case work(@Sendable () -> HTTPResponse)
        case later(@Sendable (HTTPResponder) -> Void)
    }

    enum Stage {
        case head
        /// The body is read and thrown away, up to a number of bytes.
        case discarding(left: Int64, Next)
        /// `pending` bytes of what libmicrohttpd holds were given to the sink, which may still be at it.
        case receiving(SinkRun, left: Int64, tooLarge: HTTPResponse, pending: Int)
        /// Suspended until there is an answer.
        case handling
        case sending
        /// Suspended until the client has read the early response.
        case lingering
        /// Nothing can be done for this request.
        case failed
    }

    /// What a handler thread has come to.
    enum Answer {
        case response(HTTPResponse)
        /// The sink wants more.
        case goOn
    }

    /// What libmicrohttpd is to do.
    enum Step: Equatable {
        /// So many bytes of the body are done with; the others are shown again.
        case taken(Int)
        case close
    }

    let connection: Connection
    let core: ServerCore
    /// As it stood on the request line.
    let target: String
    /// Where that lies in libmicrohttpd's buffer; good until the first call of ``proceed(head:body:)`` is over.
    let targetPointer: UnsafePointer<CChar>
    let began = Monotonic.now()
    var stage = Stage.head
    var sink: SinkRun?
    var isHead = false
    /// Whether the client waits for 100 (Continue) before it sends the body.
    var expectsContinue = false
    var closes = false
    var summary: HTTPRequestSummary
    private let answer = Mutex<Answer?>(nil)

    init(connection: Connection, core: ServerCore, target: String, targetPointer: UnsafePointer<CChar>) {
        self.connection = connection
        self.core = core
        self.target = target
        self.targetPointer = targetPointer
        summary = HTTPRequestSummary(remoteAddress: connection.remoteAddress)
    }

    // MARK: Calls from the daemon

    /// - Parameters:
    ///   - head: reads the head, on the first call only.
    ///   - body: the next bytes of the body; empty with the first and the last calls.
    func proceed(head: () -> ReceivedHead, body: UnsafeRawBufferPointer) -> Step {
        // Moved out rather than copied with all that hangs on it.
        let current = exchange(&stage, with: .failed)
        switch consume current {
        case .head:
            return begin(head())
        case .discarding(let left, let next):
            return body.isEmpty ? finish(next) : discard(body, left, next)
        case .receiving(let sink, let left, let tooLarge, let pending):
            return body.isEmpty ? finish(sink) : receive(body, sink, left, tooLarge, pending)
        case .handling:
            // No answer: the server stops and does not wait for the handler.
            guard case .response(let response) = takeAnswer() else { return fail() }
            return send(response)
        case .lingering:
            stage = .lingering
            return .close
        case .sending:
            stage = .sending
            return .close
        case .failed:
            return .close
        }
    }

    /// The request is over, well or not. The connection may go on to the next.
    func completed(_ isComplete: Bool) {
        sink?.abort()
        let now = Monotonic.now()
        connection.enter(.idle, at: now)
        // A head that never became a request: the daemon has answered it, or the client left.
        guard !summary.id.isEmpty else { return }
        core.requestsInFlight.subtract(1, ordering: .relaxed)
        summary.duration = .nanoseconds(now - began)
        if case .sending = stage { summary.isComplete = isComplete }
        core.observer?(summary)
        core.requestLog(summary)
    }

    // MARK: Calls from handlers

    func deliver(_ answer: Answer) {
        self.answer.withLock { $0 = answer }
        resume()
    }

    /// Lets the connection's thread go on.
    func resume() { core.table.resume(connection) }

    func takeAnswer() -> Answer? { answer.withLock { $0.take() } }

    // MARK: Failures

    func fail() -> Step {
        stage = .failed
        return .close
    }

    func refusal(_ status: Int, _ detail: String) -> HTTPResponse {
        var response = core.application.error(status: status, detail: detail, requestID: summary.id, target: target)
        if status == 503 { response.fields["Retry-After"] = "1" }
        return response
    }
}
