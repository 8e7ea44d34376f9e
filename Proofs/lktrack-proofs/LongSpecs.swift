import Foundation
import ServiceHarness

/// Jobs with as much in them as a request may have, and many who ask for them.
enum LongSpecs {
    static let unread = 60
    /// The kernel takes some answers before anybody reads them: after so many on a connection it takes no more.
    static let unreadEach = 5
    static let watchers = 150
    private static let label = "label.long=1"
    private static let count = 20

    /// Many page through all of them at the same time.
    static func lists(_ server: Server, _ result: inout ProofResult) throws {
        _ = try submitAll(server, &result)
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

    /// Many ask for a page, and read nothing of it before the last has asked.
    static func unreadLists(_ server: Server, _ result: inout ProofResult) throws {
        let source = try submitAll(server, &result)
        let request = "GET /v1/jobs?\(label) HTTP/1.1\r\nHost: a\r\n"
        let requests =
            String(repeating: request + "\r\n", count: unreadEach - 1) + request + "Connection: close\r\n\r\n"
        let port = server.port
        let (asked, mayRead, hasRead) = (Counter(), Counter(), Counter())
        let (statuses, failures) = (Tally<Int>(), Tally<String>())
        Crew.begin(unread) {
            defer { hasRead.next() }
            guard let client = try? WireClient(port: port, receiveBuffer: 4096) else {
                return failures.add("no connection")
            }
            client.send(requests)
            asked.next()
            // Who takes nothing at all is cut: some KiB a second are enough, and a fraction of what waits.
            var bytes: [UInt8] = []
            while mayRead.value == 0, let more = client.receive() {
                bytes += more
                pause(0.5)
            }
            for answer in WireAnswer.all(bytes + client.readToEnd()) {
                statuses.add(answer.status)
                if answer.status == 200, answer.json["jobs"] == nil { failures.add("an unread list was not whole") }
            }
        }
        defer { mayRead.next() }
        try wait(for: "those who ask for lists") { asked.value + failures.count >= unread }
        let share = MachineShare()
        // Once they have had their turns, others' answers come, though nothing is read.
        let slowest =
            try (0..<100).map { _ in
                try seconds {
                    result.expect(
                        try server.wire.get("/v1/jobs/\(source)").status == 200, "another's GET was not answered")
                    pause(0.01)
                }
            }.suffix(50).max() ?? 0
        share.end()
        result.expect(
            slowest < share.allowed(2),
            "another's GET took \(slowest.text(1)) s beside lists that nobody reads\(share.text)")
        if !share.text.isEmpty { result.figure += "; GETs beside unread lists\(share.text)" }
        // Until the server has made all that it will: then its processor time stands still.
        try wait(for: "a server that waits for its clients") {
            let before = Processes.processorSeconds(of: server.processIdentifier)
            pause(1)
            return Processes.processorSeconds(of: server.processIdentifier) - before < 0.1
        }
        mayRead.next()
        try wait(for: "the lists") { hasRead.value == unread }
        result.losses += failures.all
        let wrong = statuses.all.filter { $0 != 200 && $0 != 503 }
        result.expect(wrong.isEmpty, "unread lists were answered with \(Set(wrong).sorted())")
        result.expect(statuses.all.contains(200), "no unread list was answered")
        result.expect(statuses.all.contains(503), "all unread lists were answered: nothing bounds them")
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
        // Each way, and how its answer tells of the end.
        let ways: [(request: String, end: String)] = [
            ("GET \(path)/events", "event: end"), ("GET \(path)", "\"status\":\"canceled\""),
            ("GET \(path)/results?format=ndjson&partial=true&follow=true", ""),
        ]
        let port = server.port
        let (begun, asked) = (Counter(), Counter())
        let (answered, losses) = (Counter(), Tally<String>())
        Crew.begin(watchers) {
            let way = ways[begun.next() % ways.count]
            defer { answered.next() }
            guard let client = try? WireClient(port: port) else {
                return losses.add("\(way.request): no connection")
            }
            client.send(
                "\(way.request) HTTP/1.1\r\nHost: a\r\nConnection: close\r\nPrefer: wait=60\r\n\r\n")
            asked.next()
            let answer = WireAnswer(client.readToEnd())
            if answer.status != 200 || !(way.end.isEmpty || answer.body.contains(way.end)) {
                losses.add("\(way.request): answered with \(answer.status), and not told of the end")
            }
        }
        try wait(for: "the watchers") { asked.value + losses.count >= watchers }
        pause(2)
        result.expect(answered.value == 0, "\(answered.value) of those who watch were answered before there was an end")
        let status = try server.wire.request("POST", path + "/cancel").status
        result.expect(status == 202, "the watched job was canceled with \(status)")
        try wait(for: "the end of what watches") { answered.value == watchers }
        result.losses += losses.all
    }

    /// A source, and jobs on it with long specs.
    ///
    /// - Returns: the source's job.
    private static func submitAll(_ server: Server, _ result: inout ProofResult) throws -> String {
        let source = try server.wire.submit(try Clip.make(frames: 5), query: "&label.long=0") ?? ""
        for _ in 0..<count { _ = try submit(server, source: source, &result) }
        return source
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
