import ServiceHarness

/// No malformed request makes the server take what follows it for a request of its own.
struct MalformedProof: Proof {
    let name = "malformed"
    let claim = "requests that a proxy could read differently are refused, and nothing behind them is answered"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let server = try Server("--workers", "1")
        var result = ProofResult(tried: "")
        // What is smuggled would be seen: it submits nothing, but it is answered.
        let marker = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        for attack in MalformedRequests.all {
            let client = try WireClient(port: server.port, receiveSeconds: 15)
            client.send(attack.request + marker)
            let answer = String(decoding: client.readToEnd(), as: UTF8.self)
            let status = answer.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            result.expect(!answer.contains("\"ok\""), "\(attack.name): what followed was answered")
            result.expect(
                attack.silence == nil
                    ? status.map { (400..<500).contains($0) || $0 == 505 } == true : answer.isEmpty,
                "\(attack.name): \(status.map { "answered with \($0)" } ?? "not answered")")
        }
        // More arguments than libmicrohttpd has memory for, in targets that are within the limit.
        // Empty ones are none, and the others are unknown.
        for (piece, count, expected) in [("a=b&", 1_950, 422), ("&", 8_100, 200)] {
            let status = try server.wire.get("/v1/jobs?\(String(repeating: piece, count: count))").status
            result.expect(
                status == expected, "\(count) times \(piece): \(status == 0 ? "no answer" : "\(status)")")
        }
        let health = try server.wire.get("/healthz").status
        result.expect(health == 200, "the server does not answer any more")
        result.tried = "\(MalformedRequests.all.count) requests on raw sockets, each with another behind it"
        return result
    }
}
