import Glibc

/// What goes out.
extension Exchange {
    /// An early response is sent outside of libmicrohttpd and must fit into memory.
    private static let longestEarlyBody = 64 * 1024

    func send(_ response: consuming HTTPResponse) -> Step {
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

    /// The response's body cannot go on. What the response says by itself stays.
    func brokeOff(_ cause: String) {
        if summary.note == nil { summary.note = "the body broke off: \(cause)" }
    }

    /// Sends a response before the body is whole. libmicrohttpd does not take one then, and closing the connection at once
    /// would reset it, which makes clients lose the response. So it goes to the socket directly, and the connection stays
    /// suspended, out of libmicrohttpd's hands, until the client has stopped sending (RFC 9112 §9.6).
    func respondEarly(_ response: HTTPResponse) -> Step {
        sink?.abort()
        closes = true
        stage = .lingering
        connection.enter(.lingering)
        let date = Int64(time(nil))
        let withBody = summary.method != "HEAD"
        // What is too long to be sent at once goes without its body, rather than not at all.
        let bytes =
            prepare(response).0.serialized(date: date, withBody: withBody, maximumBody: Self.longestEarlyBody)
            ?? PreparedResponse(bare: response.status, requestID: summary.id, closes: closes)
            .serialized(date: date, withBody: withBody, maximumBody: 0)
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

    /// While a live body has nothing to send.
    func suspendForBody() -> Bool { core.table.suspend(connection) }
}
