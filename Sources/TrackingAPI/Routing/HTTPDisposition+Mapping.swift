import HTTPServer

extension HTTPDisposition {
    /// The same, with every response changed on its way out.
    func mappingResponses(_ change: @escaping @Sendable (HTTPResponse) -> HTTPResponse) -> HTTPDisposition {
        switch self {
        case .respond(let response): .respond(change(response))
        case .work(let work): .work { change(work()) }
        case .later(let start):
            .later { responder in
                // Let go of without an answer, it lets go of the server's responder, which then answers for itself.
                start(
                    HTTPResponder { response in
                        if let response { responder.respond(change(response)) }
                    })
            }
        case .receive(let sink, let limit, let tooLarge):
            .receive(MappedSink(sink, change), limit: limit, tooLarge: change(tooLarge))
        }
    }
}

private final class MappedSink: HTTPBodySink {
    private let base: any HTTPBodySink
    private let change: @Sendable (HTTPResponse) -> HTTPResponse

    init(_ base: any HTTPBodySink, _ change: @escaping @Sendable (HTTPResponse) -> HTTPResponse) {
        self.base = base
        self.change = change
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> HTTPResponse? { base.receive(bytes).map(change) }
    func finish() -> HTTPResponse { change(base.finish()) }
    func abort() { base.abort() }
}
