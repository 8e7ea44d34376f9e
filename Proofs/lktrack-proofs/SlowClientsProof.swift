import ServiceHarness

/// Clients that drip hold nobody up, and are cut.
struct SlowClientsProof: Proof {
    let name = "slow clients"
    let claim = "1,000 slow connections: another client's GET takes less than 100 ms (p99), and all are cut in time"

    /// HTTPServerConfiguration's deadline of a head, and some for a busy machine.
    private static let deadline = 10.0 + 5
    private static let count = 1000

    func run(_ options: ProofOptions) throws -> ProofResult {
        guard allowOpenFiles(Self.count + 200) else { throw NotProvable(reason: "too few open files are allowed") }
        let server = try Server("--workers", "1", environment: ["LKTRACK_SERVER_CONNECTIONS": "\(Self.count + 200)"])
        let wire = server.wire
        let id = try server.finishedJob()
        var result = ProofResult(tried: "\(Self.count) connections that send a byte of a head every 0.5 s")
        let head = Array(("GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 1000)).utf8)
        var open = try (0..<Self.count).map { _ in try WireClient(port: server.port) }
        var times: [Double] = []
        var share = MachineShare()
        share.measure()
        let start = ContinuousClock.now
        var position = 0
        while !open.isEmpty {
            for client in open { client.send([head[position % head.count]]) }
            position += 1
            let round = ContinuousClock.now
            while (ContinuousClock.now - round) / .seconds(1) < 0.5 {
                times.append(
                    try seconds {
                        if try wire.get("/v1/jobs/\(id)").status != 200 { result.losses.append("a GET failed") }
                    })
                pause(0.005)
            }
            open.removeAll { $0.isClosed }
            let age = (ContinuousClock.now - start) / .seconds(1)
            if age < Self.deadline / 3, open.count < Self.count {
                result.losses.append("\(Self.count - open.count) connections were cut after \(age.text()) s already")
                break
            }
            guard age < share.allowed(Self.deadline) else { break }
        }
        let age = (ContinuousClock.now - start) / .seconds(1)
        share.measure()
        let p99 = percentile(times, 0.99) * 1000
        result.expect(open.isEmpty, "\(open.count) connections were not cut after \(age.text()) s")
        result.expect(p99 < share.allowed(100), "the p99 is \(p99.text(1)) ms\(share.text)")
        result.figure =
            "p99 \(p99.text(1)) ms over \(times.count) GETs, the last was cut after \(age.text(1)) s\(share.text)"
        return result
    }
}
