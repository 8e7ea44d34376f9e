import Synchronization

/// What comes, up to the handler: the head, and the body.
extension Exchange {
    // MARK: The head

    func begin(_ received: ReceivedHead) -> Step {
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

    func discard(_ body: UnsafeRawBufferPointer, _ left: Int64, _ next: Next) -> Step {
        summary.bytesReceived += Int64(body.count)
        guard Int64(body.count) <= left else { return respondEarly(tooLong(for: next)) }
        stage = .discarding(left: left - Int64(body.count), next)
        return .taken(body.count)
    }

    private func tooLong(for next: Next) -> HTTPResponse {
        if case .respond(let response) = next { return response }
        return refusal(413, "This request takes no body.")
    }

    /// Gives a copy of the bytes to the sink on an intake thread, since it may block on the disk. They stay in libmicrohttpd's
    /// buffer meanwhile, so that it calls again when the sink is done, even if no more bytes come.
    func receive(
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
        if !core.intake.submit(write) { write() }
        return .taken(pending)
    }

    func finish(_ sink: SinkRun) -> Step {
        run(core.intake, orElse: { sink.abort() }, { [self] in sink.finish() ?? refusal(500, "The server stops.") })
    }

    func finish(_ next: consuming Next) -> Step {
        switch consume next {
        case .respond(let response):
            return send(response)
        case .work(let work):
            return run(core.pool, orElse: {}, work)
        case .later(let start):
            guard suspendForHandler(.waiting) else { return fail() }
            start(
                HTTPResponder { [self] response in
                    deliver(.response(response ?? refusal(500, "The server could not answer.")))
                })
            return .taken(0)
        }
    }

    /// Runs a handler on a pool while the connection is suspended.
    private func run(
        _ pool: HandlerPool, orElse refused: () -> Void, _ work: @escaping @Sendable () -> HTTPResponse
    ) -> Step {
        guard suspendForHandler() else { return fail() }
        if !pool.submit({ [self] in deliver(.response(work())) }) {
            refused()
            deliver(.response(refusal(503, "The server is busy.")))
        }
        return .taken(0)
    }

    private func suspendForHandler(_ phase: ConnectionPhase = .handling) -> Bool {
        stage = .handling
        connection.enter(phase)
        return core.table.suspend(connection)
    }
}
