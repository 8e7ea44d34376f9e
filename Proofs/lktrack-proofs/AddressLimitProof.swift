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
        let served = held.count { $0.isServed() }
        result.expect(served == Self.limit, "\(served) of \(Self.limit) within the limit were served")
        var beyond = 0
        var elsewhere = 0
        for _ in 0..<Self.others {
            if try WireClient(port: server.port).isServed() { beyond += 1 }
            if try WireClient(port: server.port, from: "127.0.0.2").isServed() { elsewhere += 1 }
        }
        result.expect(beyond == 0, "\(beyond) beyond the limit were served")
        result.expect(elsewhere == Self.others, "another address was not served \(Self.others - elsewhere) times")
        let still = held.count { $0.isServed() }
        result.expect(still == Self.limit, "\(Self.limit - still) within the limit were let go")
        result.figure = "\(served) served, \(beyond) beyond; another address got \(elsewhere) of \(Self.others)"
        return result
    }
}
