import Jobs
import Synchronization
import Testing

@testable import TrackingAPI

@Suite("A place in a growing result")
struct ResultCursorTests {
    /// Bytes that may grow.
    private final class Bytes: BlobReader {
        let content: Mutex<[UInt8]>

        init(_ text: String) { content = Mutex(Array(text.utf8)) }

        var count: Int64 { Int64(content.withLock { $0.count }) }
        var fileDescriptor: Int32? { nil }

        func append(_ text: String) { content.withLock { $0 += Array(text.utf8) } }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int {
            content.withLock { content in
                let piece = content.dropFirst(Int(offset)).prefix(buffer.count)
                buffer.copyBytes(from: piece)
                return piece.count
            }
        }
    }

    private static func text(_ cursor: inout ResultCursor, _ reader: Bytes) throws -> [String] {
        var lines: [String] = []
        while let piece = try cursor.next(from: reader) {
            for line in piece.lines {
                lines.append("\(line.number) \(String(decoding: line.bytes, as: UTF8.self).prefix(9))")
            }
        }
        return lines
    }

    @Test("whole lines are read as they come, each once, with its number")
    func growing() throws {
        let reader = Bytes("")
        var cursor = ResultCursor()
        #expect(try Self.text(&cursor, reader).isEmpty)
        reader.append("a\nb\nc")
        #expect(try Self.text(&cursor, reader) == ["0 a", "1 b"])
        #expect(try Self.text(&cursor, reader).isEmpty)
        reader.append("c\n")
        #expect(try Self.text(&cursor, reader) == ["2 cc"])
    }

    @Test("a line may be longer than what is read at once", arguments: [16_383, 16_384, 16_385, 100_000])
    func long(count: Int) throws {
        let long = String(repeating: "x", count: count)
        let reader = Bytes("a\n\(long)\nb\n\(long)")
        var cursor = ResultCursor()
        #expect(try Self.text(&cursor, reader) == ["0 a", "1 xxxxxxxxx", "2 b"])
        reader.append("\n")
        #expect(try Self.text(&cursor, reader) == ["3 xxxxxxxxx"])
    }

    @Test("a result that starts over with the same bytes is waited for; another one is read from its start")
    func startedOver() throws {
        var cursor = ResultCursor()
        #expect(try Self.text(&cursor, Bytes("a\nb\n")).count == 2)
        #expect(try Self.text(&cursor, Bytes("a\n")).isEmpty)
        #expect(try Self.text(&cursor, Bytes("a\nb\nc\n")) == ["2 c"])
        #expect(try Self.text(&cursor, Bytes("aaaa\nbb\ncc\n")) == ["0 aaaa", "1 bb", "2 cc"])
    }

    @Test("skipping stops before the line, not behind it", arguments: [0, 1, 500, 99_999, 100_000, 200_000])
    func skip(line: Int) throws {
        let reader = Bytes((0..<100_000).map { "line \($0)\n" }.joined())
        var cursor = ResultCursor()
        var skip = try cursor.skip(towards: line, in: reader, pieces: 1)
        #expect(cursor.offset <= 64 << 10)
        while skip == .onTheWay { skip = try cursor.skip(towards: line, in: reader, pieces: 1) }
        #expect(skip == (line <= 100_000 ? .there : .noFurther))
        #expect(cursor.lines <= line)
        #expect(line - cursor.lines < 40_000 || cursor.lines == 100_000 || line > 100_000)
        if line < 100_000 {
            let piece = try #require(try cursor.next(from: reader))
            let first = try #require(piece.lines.first { _ in true })
            #expect(String(decoding: first.bytes, as: UTF8.self) == "line \(first.number)")
        }
    }
}
