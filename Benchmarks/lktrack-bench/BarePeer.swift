import Foundation

/// A bare libmicrohttpd program that answers with the same bytes.
final class BarePeer {
    let port: Int
    private let process = Process()
    private let input = Pipe()

    /// - Parameters:
    ///   - server: whose answers it gives.
    ///   - paths: what it is asked for.
    ///   - threads: as many as the server has for its connections.
    ///   - dealsConnections: whether each thread has as many connections, as in the server; otherwise it is chance, and
    ///     mostly one has all.
    init(
        _ options: BenchOptions, like server: BenchServer, paths: [String], threads: Int, dealsConnections: Bool
    ) throws {
        var arguments = ["\(threads)", dealsConnections ? "deal" : "listen"]
        for (index, path) in paths.enumerated() {
            let (head, body) = (
                options.scratch.appendingPathComponent("bare-\(index).head"),
                options.scratch.appendingPathComponent("bare-\(index).body")
            )
            _ = try Stopwatch.seconds(
                "/usr/bin/env", ["curl", "-fsS", "-D", head.path, "-o", body.path, server.url + path])
            try Self.fields(of: head).write(to: head, atomically: true, encoding: .utf8)
            arguments += [path, head.path, body.path]
        }
        let output = Pipe()
        process.executableURL = options.bin.appendingPathComponent("lktrack-bare-httpd")
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw BenchError("lktrack-bare-httpd does not start")
        }
        self.port = port
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// Without what libmicrohttpd writes by itself.
    private static func fields(of head: URL) throws -> String {
        let own: Set = ["content-length", "date", "connection"]
        return try String(contentsOf: head, encoding: .utf8).split(whereSeparator: \.isNewline).dropFirst().filter {
            guard let colon = $0.firstIndex(of: ":") else { return false }
            return !own.contains($0[..<colon].lowercased())
        }.joined(separator: "\n") + "\n"
    }
}
