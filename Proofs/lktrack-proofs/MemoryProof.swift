import ServiceHarness

/// Bodies go to the disk as they come, and of the text that does not there is only so much.
struct MemoryProof: Proof {
    let name = "memory"
    let claim = """
        a 1 GiB upload adds less than 32 MiB to the server's memory, as does a form of 300 long fields; 100 held bodies of \
        2 MiB, 16 lists of long specs at once, 300 that nobody reads, and 150 watchers of a job with one add less than \
        200 MiB each
        """
    let isQuick = false

    private static let specBytes = 2 << 20
    /// MiB: 64 of text; what as many long specs as there are processors take while they are read, thirty times their
    /// text, which is 84 for the two of 1.4 MB here; and one such text for each of 16 threads that waits for its turn,
    /// and one that it has made.
    private static let bound = 200.0

    func run(_ options: ProofOptions) throws -> ProofResult {
        var result = ProofResult(
            tried: "1 upload of 1 GiB, 2 forms of 300 fields, 100 bodies that are held, 16 lists of 20 long specs, "
                + "\(LongSpecs.unread * LongSpecs.unreadEach) lists that are not read, \(LongSpecs.watchers) watchers")
        var figures: [String] = []
        for (what, most, attempt) in [
            ("the upload", 32.0, upload), ("300 targets", 32, sameFields), ("300 labels", 32, otherFields),
            ("held bodies", Self.bound, heldBodies), ("lists", Self.bound, LongSpecs.lists),
            ("unread lists", Self.bound, LongSpecs.unreadLists), ("watchers", Self.bound, LongSpecs.watched),
        ] {
            // Each has a server of its own, or it could grow into what the one before it left.
            let server = try Server("--workers", "1")
            _ = try server.finishedJob()
            let before = server.memory("VmRSS")
            let peak = PeakMemory()
            let process = server.processIdentifier
            let watch = Crew(1) { _, _ in
                peak.note(Processes.memory(of: process))
                pause(0.002)
            }
            try attempt(server, &result)
            watch.stop()
            let growth = Double(max(0, peak.value - before)) / 1_048_576
            figures.append("\(what) \(growth.text(1))")
            result.expect(growth < most, "\(what): RSS grew by \(growth.text(1)) MiB")
        }
        result.figure = "RSS grew by, in MiB: " + figures.joined(separator: ", ") + result.figure
        return result
    }

    private func upload(_ server: Server, _ result: inout ProofResult) throws {
        let client = try WireClient(port: server.port)
        client.send(
            "POST /v1/jobs?roi=1,1,20,20 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                + "Content-Type: application/octet-stream\r\nContent-Length: \(1 << 30)\r\n\r\n")
        // An AVI by its head, or it would be refused at once.
        var block = [UInt8](repeating: 0, count: 1 << 20)
        block.replaceSubrange(0..<12, with: Array("RIFF".utf8) + [0, 0, 0, 0x40] + Array("AVI ".utf8))
        for _ in 0..<1024 {
            client.send(block)
            block[0] = 0
        }
        let status = WireAnswer(client.readToEnd()).status
        result.expect(status == 202, "the upload was answered with \(status)")
    }

    private func sameFields(_ server: Server, _ result: inout ProofResult) throws {
        let field = (name: "targets", bytes: Self.specBytes)
        try form([(name: String, bytes: Int)](repeating: field, count: 300), server, &result)
    }

    private func otherFields(_ server: Server, _ result: inout ProofResult) throws {
        try form([("targets", Self.specBytes)] + (1..<300).map { ("label.\($0)", 8_000) }, server, &result)
    }

    /// One that must be refused.
    private func form(
        _ fields: [(name: String, bytes: Int)], _ server: Server, _ result: inout ProofResult
    ) throws {
        let client = try WireClient(port: server.port)
        client.send(
            "POST /v1/jobs HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
                + "Content-Type: multipart/form-data; boundary=b\r\n\r\n")
        for field in fields {
            let part =
                "--b\r\nContent-Disposition: form-data; name=\"\(field.name)\"\r\n\r\n"
                + String(repeating: " ", count: field.bytes) + "\r\n"
            guard client.send(String(part.utf8.count, radix: 16) + "\r\n" + part + "\r\n") else { break }
        }
        let status = WireAnswer(client.readToEnd()).status
        result.expect([413, 422].contains(status), "a form of \(fields.count) fields was answered with \(status)")
    }

    /// All but the last byte of each; others submit meanwhile.
    private func heldBodies(_ server: Server, _ result: inout ProofResult) throws {
        let clip = try Clip.make(frames: 5)
        let body = [UInt8](repeating: UInt8(ascii: " "), count: Self.specBytes - 1)
        let clients = try (0..<100).map { _ in
            let client = try WireClient(port: server.port)
            client.send(
                "POST /v1/jobs HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(Self.specBytes)\r\n\r\n")
            client.send(body)
            return client
        }
        result.expect(try server.wire.submit(clip) != nil, "a job was refused while bodies were held")
        for client in clients { client.send(" ") }
        let statuses = clients.map { WireAnswer($0.readToEnd()).status }
        // What is held is no JSON.
        result.expect(
            statuses.allSatisfy { $0 == 400 || $0 == 503 } && statuses.contains(503),
            "held bodies were answered with \(Set(statuses).sorted())")
    }
}
