import CMicroHTTPD
import Glibc
import Synchronization

/// One request and its response: a state machine that the daemon's callbacks move on.
///
/// libmicrohttpd calls for the head, then for every piece of the body, then once more when the body is whole; after a
/// suspension it makes the last call again. Created when the request line is there, released when the request is over.
final class Exchange: @unchecked Sendable {
    // @unchecked Sendable: confined to the connection's thread, but for `answer`, which has its lock. libmicrohttpd makes
    // all calls for one connection from one thread, and other threads get no further than `deliver` and `resume`.

    /// What follows the end of a body that is thrown away.
    private enum Next {
        case respond(HTTPResponse)
        case work(@Sendable () -> HTTPResponse)
        case later(@Sendable (HTTPResponder) -> Void)
    }

    private enum Stage {
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
    private enum Answer {
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
    private let began = Monotonic.now()
    private var stage = Stage.head
    private var sink: SinkRun?
    private var isHead = false
    /// Whether the client waits for 100 (Continue) before it sends the body.
    private var expectsContinue = false
    private var closes = false
    private var summary: HTTPRequestSummary
    private let answer = Mutex<Answer?>(nil)

    /// An early response is sent outside of libmicrohttpd and must fit into memory.
    private static let longestEarlyBody = 64 * 1024

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

    private func deliver(_ answer: Answer) {
        self.answer.withLock { $0 = answer }
        resume()
    }

    /// Lets the connection's thread go on.
    func resume() { core.table.resume(connection) }

    private func takeAnswer() -> Answer? { answer.withLock { $0.take() } }

    // MARK: The head

    private func begin(_ received: ReceivedHead) -> Step {
        // It is no idle connection any more, which a stop would cut.
        connection.enter(.handling, at: began)
        core.requestsInFlight.add(1, ordering: .relaxed)
        let head: KnownHead
        do throws(Refusal) {
            head = try read(received)
            guard connection.hasPlace || core.table.count <= core.configuration.connections else {
                throw Refusal(status: 503, detail: "The server has too many connections.")
            }
        } catch {
            return respondEarly(refusal(error.status, error.detail))
        }
        isHead = head.request.isHead
        expectsContinue = head.expectsContinue
        // The chunk parser of libmicrohttpd 0.9.75 is lenient: what follows such a body is not trusted.
        closes = head.isChunked || core.table.isStopping
        var request = head.request
        request.id = summary.id
        return dispose(core.application.begin(request), length: head.length)
    }

    /// The head, and a name for the request, which it has from here on, whether it is one or not.
    private func read(_ received: ReceivedHead) throws(Refusal) -> KnownHead {
        if let known = connection.known(received) {
            summary.method = known.method
            summary.id = known.sentID ?? core.makeRequestID()
            summary.trace = known.trace
            return known
        }
        let head = received.read()
        let sentID = RequestID.sent(with: head)
        summary.method = head.method
        summary.id = sentID ?? core.makeRequestID()
        let request = try core.protocolGuard.request(
            head, remoteAddress: connection.remoteAddress, id: summary.id,
            hasClientLeft: { [connection] in connection.hasClientLeft })
        let known = KnownHead(received, method: head.method, sentID: sentID, request: request)
        summary.trace = known.trace
        connection.remember(known)
        return known
    }

    /// - Parameter length: of the body; `nil` where only its end tells.
    private func dispose(_ disposition: HTTPDisposition, length: Int64?) -> Step {
        if length != 0 { connection.enter(.body) }
        let next: Next
        switch disposition {
        case .receive(let body, let limit, let tooLarge):
            let sink = SinkRun(body)
            self.sink = sink
            stage = .receiving(sink, left: limit, tooLarge: tooLarge, pending: 0)
            return (length ?? 0) <= limit ? .taken(0) : respondEarly(tooLarge)
        case .respond(let response):
            next = .respond(response)
            // A client that waits for 100 (Continue) is better told at once.
            if length != 0, expectsContinue { return respondEarly(response) }
        case .work(let work):
            next = .work(work)
        case .later(let start):
            next = .later(start)
        }
        stage = .discarding(left: core.configuration.discardBytes, next)
        return (length ?? 0) <= core.configuration.discardBytes ? .taken(0) : respondEarly(tooLong(for: next))
    }

    // MARK: The body

    private func discard(_ body: UnsafeRawBufferPointer, _ left: Int64, _ next: Next) -> Step {
        summary.bytesReceived += Int64(body.count)
        guard Int64(body.count) <= left else { return respondEarly(tooLong(for: next)) }
        stage = .discarding(left: left - Int64(body.count), next)
        return .taken(body.count)
    }

    private func tooLong(for next: Next) -> HTTPResponse {
        if case .respond(let response) = next { return response }
        return refusal(413, "This request takes no body.")
    }

    /// Gives a copy of the bytes to the sink on a handler thread, since it may block on the disk. They stay in libmicrohttpd's
    /// buffer meanwhile, so that it calls again when the sink is done, even if no more bytes come.
    private func receive(
        _ body: UnsafeRawBufferPointer, _ sink: SinkRun, _ left: Int64, _ tooLarge: HTTPResponse, _ pending: Int
    ) -> Step {
        if pending > 0 {
            switch takeAnswer() {
            case .response(let response): return respondEarly(response)
            case .goOn: break
            case nil: return fail()
            }
        }
        let bytes = Array(body.dropFirst(pending))
        summary.bytesReceived += Int64(bytes.count)
        guard Int64(bytes.count) <= left else { return respondEarly(tooLarge) }
        stage = .receiving(sink, left: left - Int64(bytes.count), tooLarge: tooLarge, pending: bytes.count)
        guard !bytes.isEmpty else { return .taken(pending) }
        guard core.table.suspend(connection) else { return fail() }
        let write: HandlerPool.Job = { [self] in deliver(sink.receive(bytes).map(Answer.response) ?? .goOn) }
        if !core.pool.submit(write) { write() }
        return .taken(pending)
    }

    private func finish(_ sink: SinkRun) -> Step {
        run(orElse: { sink.abort() }, { [self] in sink.finish() ?? refusal(500, "The server stops.") })
    }

    private func finish(_ next: consuming Next) -> Step {
        switch consume next {
        case .respond(let response):
            return send(response)
        case .work(let work):
            return run(orElse: {}, work)
        case .later(let start):
            guard suspendForHandler(.waiting) else { return fail() }
            start(
                HTTPResponder { [self] response in
                    deliver(.response(response ?? refusal(500, "The server could not answer.")))
                })
            return .taken(0)
        }
    }

    /// Runs a handler on the pool while the connection is suspended.
    private func run(orElse refused: () -> Void, _ work: @escaping @Sendable () -> HTTPResponse) -> Step {
        guard suspendForHandler() else { return fail() }
        if !core.pool.submit({ [self] in deliver(.response(work())) }) {
            refused()
            var response = refusal(503, "The server is busy.")
            response.fields["Retry-After"] = "1"
            deliver(.response(response))
        }
        return .taken(0)
    }

    private func suspendForHandler(_ phase: ConnectionPhase = .handling) -> Bool {
        stage = .handling
        connection.enter(phase)
        return core.table.suspend(connection)
    }

    /// While a live body has nothing to send.
    func suspendForBody() -> Bool { core.table.suspend(connection) }

    private func fail() -> Step {
        stage = .failed
        return .close
    }

    // MARK: The response

    private func send(_ response: consuming HTTPResponse) -> Step {
        stage = .sending
        connection.enter(.sending)
        if case .stream(let stream as any HTTPLiveBodyStream) = response.body, stream.endsConnection { closes = true }
        guard let made = sendable(response) else { return fail() }
        if !isHead { summary.bytesSent = made.copiedBytes ?? 0 }
        guard made.queue(on: connection) else { return fail() }
        if made.isWorthKeeping, !closes { connection.remember(made) }
        return .taken(0)
    }

    /// The response as libmicrohttpd takes it.
    private func sendable(_ response: HTTPResponse) -> DaemonResponse? {
        if var last = connection.lastResponse(), !closes, last.becomesAnswer(response, to: summary.id) {
            summary.note(response)
            return last
        }
        let (prepared, original) = prepare(response)
        return DaemonResponse(prepared, of: original, requestID: summary.id, exchange: self)
    }

    /// Counts bytes of the body that the daemon has taken.
    func sent(_ count: Int) -> Int {
        summary.bytesSent += Int64(count)
        return count
    }

    /// Sends a response before the body is whole. libmicrohttpd does not take one then, and closing the connection at once
    /// would reset it, which makes clients lose the response. So it goes to the socket directly, and the connection stays
    /// suspended, out of libmicrohttpd's hands, until the client has stopped sending (RFC 9112 §9.6).
    private func respondEarly(_ response: HTTPResponse) -> Step {
        sink?.abort()
        closes = true
        stage = .lingering
        connection.enter(.lingering)
        let bytes = prepare(response).0.serialized(
            date: Int64(time(nil)), withBody: summary.method != "HEAD", maximumBody: Self.longestEarlyBody)
        // The send buffer is empty, or holds earlier responses that the client does not read: then it goes without.
        guard let bytes, connection.socket.send(bytes),
            core.table.suspend(connection, lingerBytes: core.configuration.lingerBytes)
        else { return fail() }
        summary.isComplete = true
        connection.socket.endSending()
        core.janitor.linger(connection)
        return .taken(0)
    }

    /// The response as it goes out, or an error where the application made one that cannot be sent; and what it was made of.
    private func prepare(_ response: HTTPResponse) -> (PreparedResponse, HTTPResponse) {
        if let prepared = PreparedResponse(response, requestID: summary.id, closes: closes) {
            summary.note(response)
            return (prepared, response)
        }
        var error = refusal(500, "The server could not answer.")
        error.logNote = "a response with an invalid status or header field was not sent"
        summary.note(error)
        let prepared =
            PreparedResponse(error, requestID: summary.id, closes: closes)
            ?? PreparedResponse(bare: 500, requestID: summary.id, closes: closes)
        return (prepared, error)
    }

    private func refusal(_ status: Int, _ detail: String) -> HTTPResponse {
        core.application.error(status: status, detail: detail, requestID: summary.id, target: target)
    }
}
