import Foundation
import ServiceHarness

/// Jobs with as much in them as a request may have, and many who ask for them.
enum LongSpecs {
    static let unread = 100
    static let watchers = 150
    private static let label = "label.long=1"
    private static let count = 20

    /// Many page through all of them at the same time.
    static func lists(_ server: Server, _ result: inout ProofResult) throws {
        let source = try server.wire.submit(try Clip.make(frames: 5), query: "&label.long=0") ?? ""
        for _ in 0..<count { _ = try submit(server, source: source, &result) }
        let listed = Tally<Int>()
        let failures = Tally<String>()
        let wire = server.wire
        Crew.once(16) {
            var next = Optional("/v1/jobs?limit=200&\(label)")
            while let path = next {
                guard let answer = try? wire.get(path), answer.status == 200 else {
                    return failures.add("a list was not answered")
                }
                listed.add((answer.json["jobs"] as? [Any])?.count ?? 0)
                next = answer.next
            }
        }
        result.losses += failures.all
        let all = listed.all.reduce(0, +)
        result.expect(all == 16 * count, "\(all) jobs were listed, not \(16 * count)")
    }

    /// Many ask for a page, and read nothing of it before the last has asked. After ``lists(_:_:)``.
    static func unreadLists(_ server: Server, _ result: inout ProofResult) throws {
        let clients = try (0..<unread).map { _ in
            let client = try WireClient(port: server.port, receiveBuffer: 4096)
            client.send("GET /v1/jobs?\(label) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return client
        }
        // Others are answered meanwhile, each after the server has had a moment for the lists.
        for _ in 0..<100 {
            result.expect(try server.wire.get("/healthz").status == 200, "another's GET was not answered")
            pause(0.01)
        }
        let answers = clients.map { WireAnswer($0.readToEnd()) }
        let wrong = answers.map(\.status).filter { $0 != 200 && $0 != 503 }
        result.expect(wrong.isEmpty, "unread lists were answered with \(Set(wrong).sorted())")
        let cut = answers.count { $0.status == 200 && $0.json["jobs"] == nil }
        result.expect(cut == 0, "\(cut) unread lists were not whole")
        result.expect(answers.contains { $0.status == 200 }, "no unread list was answered")
    }

    /// Many watch one of them, in each of the three ways, until it ends.
    static func watched(_ server: Server, _ result: inout ProofResult) throws {
        // The one worker is kept busy.
        guard let other = try server.wire.submit(try Clip.make(frames: 3000)) else { throw ProofError("no job") }
        try wait(for: "a decoder") { server.decoders().count == 1 }
        let decoders = server.decoders()
        for decoder in decoders { kill(decoder, SIGSTOP) }
        defer { for decoder in decoders { kill(decoder, SIGCONT) } }
        guard let job = try submit(server, source: other, &result) else { return }
        let path = "/v1/jobs/\(job)"
        let requests = [
            "GET \(path)/events", "GET \(path)/results?format=ndjson&partial=true&follow=true", "GET \(path)",
        ]
        let port = server.port
        let (begun, asked, statuses) = (Counter(), Counter(), Tally<Int>())
        let crew = Crew(1) { _, crew in
            Crew.once(watchers) {
                let number = begun.next()
                guard let client = try? WireClient(port: port) else {
                    statuses.add(0)
                    return
                }
                client.send(
                    "\(requests[number % requests.count]) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                        + "Prefer: wait=60\r\n\r\n")
                asked.next()
                statuses.add(WireAnswer(client.readToEnd()).status)
            }
            while !crew.hasToStop { pause(0.01) }
        }
        defer { crew.stop() }
        try wait(for: "the watchers") { asked.value + statuses.count >= watchers }
        pause(2)
        let early = statuses.count
        let status = try server.wire.request("POST", path + "/cancel").status
        result.expect(status == 202, "the watched job was canceled with \(status)")
        try wait(for: "the end of what watches") { statuses.count == watchers }
        result.expect(early < watchers / 10, "\(early) of those who watch were answered before there was an end")
        let wrong = statuses.all.filter { $0 != 200 && $0 != 503 }
        result.expect(wrong.isEmpty, "those who watch were answered with \(Set(wrong).sorted())")
    }

    /// A job of four targets with 8,000 keyframes each.
    private static func submit(
        _ server: Server, source job: String, _ result: inout ProofResult
    ) throws -> String? {
        let keyframes = (1...8_000).map { "{\"frame\":\($0),\"box\":[10.5,20.25,30.125,40.5]}" }
        let targets = (0..<4).map {
            "{\"id\":\"t\($0)\",\"box\":[1,2,30,40],\"keyframes\":[\(keyframes.joined(separator: ","))]}"
        }
        let spec =
            "{\"source\":{\"job\":\"\(job)\"},\"labels\":{\"long\":\"1\"},"
            + "\"targets\":[\(targets.joined(separator: ","))]}"
        let answer = try server.wire.request(
            "POST", "/v1/jobs", fields: ["Content-Type: application/json"], body: Array(spec.utf8))
        result.expect(answer.status == 202, "a long spec was answered with \(answer.status)")
        return answer.json["id"] as? String
    }
}
