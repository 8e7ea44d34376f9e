import ServiceHarness

/// More connections than there may be hold up nobody who was there, and nobody once they are gone.
struct ConnectionFloodProof: Proof {
    let name = "connections"
    let claim =
        "more connections than the server takes: who was there is served on, and once they are gone everybody is"

    private static let connections = 100
    private static let flood = 400

    func run(_ options: ProofOptions) throws -> ProofResult {
        guard allowOpenFiles(Self.flood + 200) else { throw NotProvable(reason: "too few open files are allowed") }
        let rounds = options.rounds(20, quick: 5)
        let server = try Server("--workers", "1", environment: ["LKTRACK_SERVER_CONNECTIONS": "\(Self.connections)"])
        let held = try WireClient(port: server.port)
        var served = 0
        var result = ProofResult(
            tried: "\(rounds) times \(Self.flood) connections to a server that takes \(Self.connections)")
        for round in 1...rounds {
            if held.isServed(), try Self.isServedInFlood(held, server) { served += 1 }
            try wait(for: "an answer after flood \(round)") { (try? server.wire.get("/healthz").status) == 200 }
        }
        result.expect(served == rounds, "who was there was not served \(rounds - served) times")
        result.expect(server.stop() == 0, "it did not stop as it should")
        result.figure = "who was there was served each time, and others after each"
        return result
    }

    private static func isServedInFlood(_ held: WireClient, _ server: Server) throws -> Bool {
        let flood = try (0..<Self.flood).map { _ in try WireClient(port: server.port) }
        return withExtendedLifetime(flood) { held.isServed() }
    }
}
