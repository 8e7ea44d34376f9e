import ServiceHarness

/// One address cannot take every connection.
struct AddressLimitProof: Proof {
    let name = "address limit"
    let claim = "one address gets no more connections than its limit, and another is served all along"

    private static let limit = 20
    private static let others = 30

    func run(_ options: ProofOptions) throws -> ProofResult {
        let server = try Server(
            "--workers", "1", environment: ["LKTRACK_SERVER_CONNECTIONS_PER_ADDRESS": "\(Self.limit)"])
        var result = ProofResult(
            tried: "\(Self.limit + Self.others) connections from an address that may have \(Self.limit)")
        let held = try (0..<Self.limit).map { _ in try WireClient(port: server.port) }
        let served = held.count { Self.isServed($0) }
        result.expect(served == Self.limit, "\(served) of \(Self.limit) within the limit were served")
        var beyond = 0
        var elsewhere = 0
        for _ in 0..<Self.others {
            if Self.isServed(try WireClient(port: server.port)) { beyond += 1 }
            if Self.isServed(try WireClient(port: server.port, from: "127.0.0.2")) { elsewhere += 1 }
        }
        result.expect(beyond == 0, "\(beyond) beyond the limit were served")
        result.expect(elsewhere == Self.others, "another address was not served \(Self.others - elsewhere) times")
        let still = held.count { Self.isServed($0) }
        result.expect(still == Self.limit, "\(Self.limit - still) within the limit were let go")
        result.figure = "\(served) served, \(beyond) beyond; another address got \(elsewhere) of \(Self.others)"
        return result
    }

    /// Whether a request on it is answered.
    private static func isServed(_ client: WireClient) -> Bool {
        client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        return client.receive().map { $0.starts(with: Array("HTTP/1.1 200 ".utf8)) } ?? false
    }
}
