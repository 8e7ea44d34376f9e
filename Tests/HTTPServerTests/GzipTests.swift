import Foundation
import Synchronization
import Testing

@testable import HTTPServer

@Suite("The content coding gzip")
struct GzipTests {
    /// Nothing, a byte, text that compresses well, and bytes that do not, longer than any buffer.
    private static let contents: [[UInt8]] = [
        [], [7], Array(String(repeating: "{\"frame\":12,\"targets\":[]}\n", count: 20_000).utf8), noise(300_000),
    ]

    private static func noise(_ count: Int) -> [UInt8] {
        var state: UInt32 = 1
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
    }

    @Test("gunzip gives back what was compressed, and the pieces it came in do not show", arguments: contents)
    func roundTrip(content: [UInt8]) throws {
        let whole = try Self.compress(content, pieces: [content.count])
        #expect(try Self.gunzip(whole) == content)
        #expect(try Self.compress(content, pieces: [1, 100_000, 7, 65_536]) == whole)
    }

    @Test("the member names no file and no time, so that it is the same at any time")
    func header() throws {
        let bytes = try Self.compress([1, 2, 3], pieces: [3])
        #expect(bytes.prefix(8) == [0x1F, 0x8B, 8, 0, 0, 0, 0, 0])
    }

    @Test("a body is compressed while it is read, whatever the reader's buffer", arguments: [1, 13, 4_096, 1 << 20])
    func body(size: Int) throws {
        let content = Self.contents[2] + Self.contents[3]
        let body = try #require(GzipBody(PieceBody(size == 1 ? Array(content.prefix(5_000)) : content)))
        #expect(body.count == nil)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: size)
        while case let count = try buffer.withUnsafeMutableBytes({ try body.read(into: $0) }), count > 0 {
            bytes += buffer[..<count]
        }
        #expect(try Self.gunzip(bytes) == (size == 1 ? Array(content.prefix(5_000)) : content))
    }

    @Test("a body that fails does not end as if it were whole")
    func failure() throws {
        let body = try #require(GzipBody(BrokenBody()))
        var buffer = [UInt8](repeating: 0, count: 100)
        #expect(throws: BrokenBody.Broken.self) { try buffer.withUnsafeMutableBytes { try body.read(into: $0) } }
    }

    @Test(
        "a digest is unwelcome only where its weight is 0",
        arguments: [
            ([], true), (["sha-256=1"], true), (["sha-256=0"], false), (["sha-512=9"], true),
            (["sha-512=9", "sha-256=0"], false), (["SHA-256=0;a=b , sha-512=3"], false), (["sha-256"], true),
            (["sha-256=0, sha-256=5"], true), (["=;,"], true),
        ] as [([String], Bool)])
    func preference(fields: [String], isWelcome: Bool) {
        #expect(DigestPreference.welcomes("sha-256", fields: fields) == isWelcome)
    }

    private static func compress(_ content: [UInt8], pieces: [Int]) throws -> [UInt8] {
        let encoder = try #require(GzipEncoder())
        var output: [UInt8] = []
        var rest = content[...]
        var turn = 0
        while !rest.isEmpty {
            let piece = Array(rest.prefix(max(pieces[turn % pieces.count], 1)))
            piece.withUnsafeBytes { encoder.append($0, into: &output) }
            rest = rest.dropFirst(piece.count)
            turn += 1
        }
        encoder.finish(into: &output)
        encoder.finish(into: &output)
        return output
    }

    private static func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("gzip-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: path) }
        try Data(bytes).write(to: path)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc"]
        process.standardInput = try FileHandle(forReadingFrom: path)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let content = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return Array(content)
    }
}

/// Bytes in pieces of an odd size.
private final class PieceBody: HTTPBodyStream {
    private let rest: Mutex<ArraySlice<UInt8>>

    init(_ content: [UInt8]) { rest = Mutex(content[...]) }

    var count: Int64? { nil }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        rest.withLock { rest in
            let piece = rest.prefix(min(buffer.count, 9_973))
            buffer.copyBytes(from: piece)
            rest = rest.dropFirst(piece.count)
            return piece.count
        }
    }
}

private final class BrokenBody: HTTPBodyStream {
    struct Broken: Error {}
    var count: Int64? { nil }
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int { throw Broken() }
}
