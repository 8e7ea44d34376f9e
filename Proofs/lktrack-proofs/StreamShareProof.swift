import ServiceHarness

/// One key's streams do not take every connection.
struct StreamShareProof: Proof {
    let name = "stream share"
    let claim = "one key opens event streams until it is refused; another key, and /healthz, are answered all along"

    private static let connections = 60
    private static let share = connections / 2

    func run(_ options: ProofOptions) throws -> ProofResult {
        // Nobody works, so that no stream ends.
        let server = try Server(
            environment: ["LKTRACK_ROLES": "api", "LKTRACK_SERVER_CONNECTIONS": "\(Self.connections)"])
        let loud = try server.key("loud")[1]
        let quiet = try server.key("quiet")[1]
        let clip = try Clip.make(frames: 3)
        guard let watched = try server.wire.submit(clip, fields: [loud]),
            let other = try server.wire.submit(clip, fields: [quiet])
        else { throw ProofError("a job was refused") }

        var result = ProofResult(
            tried: "\(Self.connections) streams with one key, of a server that takes \(Self.connections) connections")
        var held: [WireClient] = []
        var (refused, unanswered) = (0, 0)
        for index in 0..<Self.connections {
            let path =
                "/v1/jobs/\(watched)" + ["/events", "/results?format=ndjson&partial=true&follow=true"][index % 2]
            let client = try WireClient(port: server.port)
            client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\(loud)\r\n\r\n")
            switch client.receive().map({ WireAnswer($0).status }) {
            case 200: held.append(client)
            case 429: refused += 1
            case let status: result.losses.append("a stream was answered with \(status.map(String.init) ?? "nothing")")
            }
            for (path, fields) in [("/v1/jobs/\(other)", [quiet]), ("/healthz", [])]
            where (try? server.wire.get(path, fields).status) != 200 {
                unanswered += 1
            }
        }
        result.expect(held.count == Self.share, "\(held.count) streams were open, not \(Self.share)")
        result.expect(unanswered == 0, "\(unanswered) requests of others were not answered")
        let late = try WireClient(port: server.port)
        late.send("GET /v1/jobs/\(other)/events HTTP/1.1\r\nHost: a\r\n\(quiet)\r\n\r\n")
        result.expect(late.receive().map { WireAnswer($0).status } == 200, "another key got no stream")
        result.figure =
            "\(held.count) open, \(refused) answers 429; \(2 * Self.connections - unanswered) of "
            + "\(2 * Self.connections) requests of others answered"
        return result
    }
}
