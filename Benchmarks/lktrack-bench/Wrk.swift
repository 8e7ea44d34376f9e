import Foundation

/// `wrk`, the load generator.
enum Wrk {
    struct Figures {
        var requestsPerSecond: Double
        /// Milliseconds.
        var median, slowest99: Double
    }

    static var isThere: Bool { FileManager.default.isExecutableFile(atPath: "/usr/bin/wrk") }

    /// - Parameter script: in Lua, for requests that are no plain GET.
    /// - Throws: where an answer was no 2xx.
    static func run(
        _ url: String, connections: Int, seconds: Int, threads: Int = 1, script: URL? = nil,
        fields: [String] = []
    ) throws -> Figures {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/wrk")
        process.arguments =
            ["-t\(threads)", "-c\(connections)", "-d\(seconds)s", "--latency"] + fields.flatMap { ["-H", $0] }
            + (script.map { ["-s", $0.path] } ?? []) + [url]
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0, !text.contains("Non-2xx"), !text.contains("Socket errors"),
            let rate = value(after: "Requests/sec:", in: text).flatMap(Double.init),
            let median = value(after: "50%", in: text).flatMap(milliseconds),
            let slowest = value(after: "99%", in: text).flatMap(milliseconds)
        else { throw BenchError("wrk \(url): \(text.suffix(600))") }
        return Figures(requestsPerSecond: rate, median: median, slowest99: slowest)
    }

    /// The second word of the line whose first it is.
    private static func value(after name: String, in text: String) -> String? {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.count == 2, words[0] == name { return String(words[1]) }
        }
        return nil
    }

    /// `12.34ms`, `98.00us`, `1.20s`.
    private static func milliseconds(_ text: String) -> Double? {
        for (unit, factor) in [("ms", 1.0), ("us", 0.001), ("s", 1000)] where text.hasSuffix(unit) {
            return Double(text.dropLast(unit.count)).map { $0 * factor }
        }
        return nil
    }
}
