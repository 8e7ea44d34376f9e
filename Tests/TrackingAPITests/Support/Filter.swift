import Foundation
import Testing

/// Programs that nobody here wrote, which read standard input and write standard output.
enum Filter {
    static func run(_ program: String, _ arguments: [String] = [], _ input: [UInt8]) throws -> [UInt8] {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("filter-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: path) }
        try Data(input).write(to: path)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardInput = try FileHandle(forReadingFrom: path)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return Array(bytes)
    }

    static func gunzip(_ bytes: [UInt8]) throws -> [UInt8] { try run("gzip", ["-dc"], bytes) }

    /// `sha-256=:…:` of these bytes.
    static func reprDigest(_ bytes: [UInt8]) throws -> String {
        let hex = String(decoding: try run("sha256sum", [], bytes).prefix(64), as: UTF8.self)
        let digits: [Int] = hex.compactMap(\.hexDigitValue)
        let digest: [UInt8] = (0..<digits.count / 2).map { UInt8(digits[2 * $0] * 16 + digits[2 * $0 + 1]) }
        return "sha-256=:\(Data(digest).base64EncodedString()):"
    }
}
