import ServiceHarness

/// Bodies go to the disk as they come.
struct MemoryProof: Proof {
    let name = "memory"
    let claim = "a 1 GiB upload adds less than 32 MiB to the server's memory"
    let isQuick = false

    func run(_ options: ProofOptions) throws -> ProofResult {
        let server = try Server("--workers", "1")
        _ = try server.wire.submit(try Clip.make(frames: 5))
        let before = server.memory("VmRSS")
        var peak = before
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
            peak = max(peak, server.memory("VmRSS"))
        }
        let status = WireAnswer(client.readToEnd()).status
        peak = max(peak, server.memory("VmRSS"))
        let growth = Double(peak - before) / 1048576
        var result = ProofResult(tried: "1 upload of 1 GiB", figure: "RSS grew by \(growth.text(1)) MiB")
        result.expect(status == 202, "answered with \(status)")
        result.expect(growth < 32, "it grew by \(growth.text(1)) MiB")
        return result
    }
}
