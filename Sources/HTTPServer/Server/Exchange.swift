import CMicroHTTPD
import Glibc
import Synchronization

/// One request and its response: a state machine that the daemon's callbacks move on.
///
/// libmicrohttpd calls for the head, then for every piece of the body, then once more when the body is whole; a request
/// that was suspended gets the last call again. Created when the request line is there, released when the request is over.
final class Exchange: @unchecked Sendable {
    // `answer` has its lock. Everything else belongs to the connection's thread: libmicrohttpd makes all calls for one
    // connection from one thread, and other threads get no further than `deliver` and `resume`.

    /// What follows the end of the body.
    private enum Next {
        case respond(HTTPResponse)
        case work(@Sendable () -> HTTPResponse)
        case later(@Sendable (HTTPResponder) -> Void)
    }

    private enum Stage {
        case head
        /// The body is read and thrown away, up to a number of bytes.
        case discarding(left: Int64, Next)
        case receiving(any HTTPBodySink, left: Int64, tooLarge: HTTPResponse)
        /// Suspended until there is an answer.
        case handling
        case sending
        /// Suspended until the client has read the early response.
        case lingering
        /// Nothing can be done for this request.
        case failed
    }

    let connection: Connection
    let core: ServerCore
    /// As it stood on the request line.
    let target: String
    /// Where that lies in libmicrohttpd's buffer; good until the first call of ``proceed(head:body:)`` is over.
    let targetPointer: UnsafePointer<CChar>
    private let began = Monotonic.now()
    private var stage = Stage.head
    private var request = HTTPRequest(method: "", target: "", path: [])
    private var closes = false
    private var summary: HTTPRequestSummary
    private let answer = Mutex<HTTPResponse?>(nil)

    /// An early response is sent outside of libmicrohttpd and must fit into memory.
    private static let longestEarlyBody = 64 * 1024

    init(connection: Connection, core: ServerCore, target: String, targetPointer: UnsafePointer<CChar>) {
        self.connection = connection
        self.core = core
        self.target = target
        self.targetPointer = targetPointer
        summary = HTTPRequestSummary(
            id: "", method: "", route: "none", status: 0, bytesReceived: 0, bytesSent: 0, duration: .zero,
            remoteAddress: connection.remoteAddress, isComplete: false)
    }

    // MARK: Calls from the daemon

    /// - Parameters:
    ///   - head: reads the head, on the first call only.
    ///   - body: the next bytes of the body; empty with the first and the last calls.
    /// - Returns: false to close the connection; otherwise all of `body` was taken or the connection is suspended.
    func proceed(head: () -> RawHead, body: UnsafeRawBufferPointer) -> Bool {
        switch stage {
        case .head:
            return begin(head())
        case .discarding(let left, let next):
            guard !body.isEmpty else { return finish(next) }
            summary.bytesReceived += Int64(body.count)
            stage = .discarding(left: left - Int64(body.count), next)
            return left >= Int64(body.count) || respondEarly(tooLong(for: next))
        case .receiving(let sink, let left, let tooLarge):
            return body.isEmpty ? finish(sink) : receive(body, sink, left, tooLarge)
        case .handling:
            let response = answer.withLock { answer in
                defer { answer = nil }
                return answer
            }
            // No answer: the server stops and does not wait for the handler.
            guard let response else { return fail() }
            return send(response)
        case .lingering, .sending, .failed:
            return false
        }
    }

    /// The request is over, well or not. The connection may go on to the next.
    func completed(_ isComplete: Bool) {
        if case .receiving(let sink, _, _) = stage { sink.abort() }
        connection.enter(.idle)
        // A head that never became a request: the daemon has answered it, or the client left.
        guard !summary.id.isEmpty else { return }
        summary.duration = .nanoseconds(Monotonic.now() - began)
        if case .sending = stage { summary.isComplete = isComplete }
        core.observer?(summary)
        summary.write(to: core.log)
    }

    // MARK: Calls from handlers

    /// Gives the response and lets the connection's thread send it.
    private func deliver(_ response: HTTPResponse) {
        answer.withLock { $0 = response }
        resume()
    }

    func resume() { core.table.resume(connection) }

    // MARK: The head

    private func begin(_ head: RawHead) -> Bool {
        summary.method = head.method
        let client = head.fields.first { $0.name.lowercased() == "x-request-id" }?.value
        summary.id = client.flatMap(Self.acceptable) ?? core.makeRequestID()
        do throws(Refusal) {
            let fields = try core.protocolGuard.check(head)
            let target = try RequestTarget(target, method: head.method)
            guard core.table.count <= core.configuration.connections else {
                throw Refusal(status: 503, detail: "The server has too many connections.")
            }
            request = HTTPRequest(
                method: head.method == "HEAD" ? "GET" : head.method, target: self.target, path: target.path,
                query: target.query.map { ($0.name, $0.value) }, fields: fields,
                remoteAddress: connection.remoteAddress, id: summary.id)
            request.isHead = head.method == "HEAD"
        } catch {
            return respondEarly(refusal(error.status, error.detail))
        }
        // The chunk parser of libmicrohttpd 0.9.75 is lenient: what follows such a body is not trusted.
        let isChunked = request.fields["Transfer-Encoding"] != nil
        closes = isChunked || core.table.isStopping
        return dispose(core.application.begin(request), length: isChunked ? nil : request.contentLength ?? 0)
    }

    /// - Parameter length: of the body; `nil` where only its end tells.
    private func dispose(_ disposition: HTTPDisposition, length: Int64?) -> Bool {
        let hasBody = length != 0
        connection.enter(hasBody ? .body : .handling)
        let next: Next
        switch disposition {
        case .receive(let sink, let limit, let tooLarge):
            stage = .receiving(sink, left: limit, tooLarge: tooLarge)
            return (length ?? 0) <= limit || respondEarly(tooLarge)
        case .respond(let response):
            next = .respond(response)
            // A client that waits for 100 (Continue) is better told at once.
            if hasBody, request.fields["Expect"] != nil { return respondEarly(response) }
        case .work(let work):
            next = .work(work)
        case .later(let start):
            next = .later(start)
        }
        stage = .discarding(left: core.configuration.discardBytes, next)
        return (length ?? 0) <= core.configuration.discardBytes || respondEarly(tooLong(for: next))
    }

    private func tooLong(for next: Next) -> HTTPResponse {
        if case .respond(let response) = next { return response }
        return refusal(413, "This request takes no body.")
    }

    // MARK: The body

    private func receive(
        _ body: UnsafeRawBufferPointer, _ sink: any HTTPBodySink, _ left: Int64, _ tooLarge: HTTPResponse
    ) -> Bool {
        summary.bytesReceived += Int64(body.count)
        guard Int64(body.count) <= left else { return respondEarly(tooLarge) }
        if let response = sink.receive(body) { return respondEarly(response) }
        stage = .receiving(sink, left: left - Int64(body.count), tooLarge: tooLarge)
        return true
    }

    private func finish(_ sink: any HTTPBodySink) -> Bool {
        // From here on the sink is finished or aborted by this call, and by no other.
        run(orElse: { sink.abort() }, { sink.finish() })
    }

    private func finish(_ next: Next) -> Bool {
        switch next {
        case .respond(let response):
            return send(response)
        case .work(let work):
            return run(orElse: {}, work)
        case .later(let start):
            guard suspend(.handling) else { return fail() }
            start(
                HTTPResponder { [self] response in
                    deliver(response ?? refusal(500, "The server could not answer."))
                })
            return true
        }
    }

    /// Runs a handler on the pool while the connection is suspended.
    private func run(orElse refused: () -> Void, _ work: @escaping @Sendable () -> HTTPResponse) -> Bool {
        guard suspend(.handling) else {
            refused()
            return fail()
        }
        if !core.pool.submit({ [self] in deliver(work()) }) {
            refused()
            var response = refusal(503, "The server is busy.")
            response.fields["Retry-After"] = "1"
            deliver(response)
        }
        return true
    }

    private func suspend(_ stage: Stage) -> Bool {
        self.stage = stage
        connection.enter(.handling)
        return core.table.suspend(connection)
    }

    /// While a live body has nothing to send.
    func suspendForBody() -> Bool { core.table.suspend(connection) }

    private func fail() -> Bool {
        stage = .failed
        return false
    }

    // MARK: The response

    private func send(_ response: HTTPResponse) -> Bool {
        stage = .sending
        connection.enter(.sending)
        let prepared = prepare(response)
        let (source, count): (BodyReader.Source?, Int64?) =
            switch prepared.body {
            case .empty: (nil, 0)
            case .bytes(let bytes): (.bytes(bytes), Int64(bytes.count))
            case .stream(let stream): (.stream(stream), stream.count)
            }
        let made = DaemonResponse(source, count: count, fields: prepared.fields, exchange: self)
        guard let made else { return fail() }
        if !request.isHead, made.isCopied { summary.bytesSent = count ?? 0 }
        return made.queue(on: connection, status: prepared.status)
    }

    /// Counts bytes of the body that the daemon has taken.
    func sent(_ count: Int) -> Int {
        summary.bytesSent += Int64(count)
        return count
    }

    /// Sends a response before the body is whole. libmicrohttpd does not take one then, and closing the connection at once
    /// would reset it, which makes clients lose the response. So it goes to the socket directly, and the connection stays
    /// suspended, out of libmicrohttpd's hands, until the client has stopped sending (RFC 9112 §9.6).
    private func respondEarly(_ response: HTTPResponse) -> Bool {
        if case .receiving(let sink, _, _) = stage { sink.abort() }
        closes = true
        stage = .lingering
        connection.enter(.lingering)
        let prepared = prepare(response)
        let date = Int64(time(nil))
        guard
            let bytes = prepared.serialized(
                date: date, withBody: summary.method != "HEAD", maximumBody: Self.longestEarlyBody),
            // The send buffer is empty, or holds earlier responses that the client does not read: then it goes without.
            connection.socket.send(bytes),
            core.table.suspend(connection, lingerBytes: core.configuration.lingerBytes)
        else { return fail() }
        summary.isComplete = true
        connection.socket.endSending()
        core.janitor.linger(connection)
        return true
    }

    /// The response as it goes out, or an error where the application made one that cannot be sent.
    private func prepare(_ response: HTTPResponse) -> PreparedResponse {
        if let prepared = PreparedResponse(response, requestID: summary.id, closes: closes) {
            note(response)
            return prepared
        }
        var error = refusal(500, "The server could not answer.")
        error.logNote = "a response with an invalid status or header field was not sent"
        note(error)
        return PreparedResponse(error, requestID: summary.id, closes: closes)
            ?? PreparedResponse(bare: 500, requestID: summary.id, closes: closes)
    }

    private func note(_ response: HTTPResponse) {
        summary.status = response.status
        summary.route = response.route ?? summary.route
        summary.note = response.logNote
    }

    private func refusal(_ status: Int, _ detail: String) -> HTTPResponse {
        core.application.error(status: status, detail: detail, requestID: summary.id)
    }

    /// A client's own request id, where it is fit for a log (``HTTPRequest/id``).
    private static func acceptable(_ id: String) -> String? {
        let id = id.utf8.drop { $0 == UInt8(ascii: " ") }
        let isFit = id.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default:
                false
            }
        }
        return (1...64).contains(id.count) && isFit ? String(Substring(id)) : nil
    }
}
