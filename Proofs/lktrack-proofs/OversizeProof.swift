import ServiceHarness

/// A client that sends everything before it reads gets its 413.
struct OversizeProof: Proof {
    let name = "oversize"
    let claim = "64 MB against a limit of 1 MB: the 413 is read, whether the length is told or not"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let server = try Server("--workers", "1", environment: ["LKTRACK_LIMITS_UPLOAD_BYTES": "1048576"])
        var result = ProofResult(tried: "20 uploads of 64 MB, half of them chunked")
        // A video by its head, or it would be refused for that.
        let block = Array("RIFF\0\0\0\u{4}AVI ".utf8) + [UInt8](repeating: 7, count: (1 << 20) - 12)
        var read = 0
        for round in 0..<20 {
            let client = try WireClient(port: server.port)
            let isChunked = round % 2 == 1
            client.send(
                "POST /v1/jobs?roi=1,1,20,20 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    + "Content-Type: application/octet-stream\r\n"
                    + (isChunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: \(64 << 20)\r\n\r\n"))
            for _ in 0..<64 {
                if isChunked { client.send("100000\r\n") }
                client.send(block)
                if isChunked { client.send("\r\n") }
            }
            if isChunked { client.send("0\r\n\r\n") }
            let status = WireAnswer(client.readToEnd()).status
            if status == 413 { read += 1 }
            result.expect(status == 413, "round \(round): \(status == 0 ? "cut off" : "answered with \(status)")")
        }
        result.expect(server.blobs().isEmpty, "uploads are left behind")
        result.figure = "413 read \(read) times"
        return result
    }
}
