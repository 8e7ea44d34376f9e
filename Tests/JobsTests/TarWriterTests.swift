import Foundation
import Jobs
import Testing

@Suite("TarWriter")
struct TarWriterTests {
    /// A blob writer into a file, for `tar` to read.
    private final class FileWriter: BlobWriter, @unchecked Sendable {
        // `@unchecked Sendable`: used by one test on one thread.
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("tar-\(UUID().uuidString).tar").path
        private var bytes: [UInt8] = []

        deinit { try? FileManager.default.removeItem(atPath: path) }

        var count: Int64 { Int64(bytes.count) }
        func write(_ piece: UnsafeRawBufferPointer) { bytes += piece }
        func overwrite(_ piece: UnsafeRawBufferPointer, at offset: Int64) {
            bytes.replaceSubrange(Int(offset)..<Int(offset) + piece.count, with: piece)
        }
        func flush() {}
        func commit() throws -> String {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            return ""
        }
        func abort() {}
        func partialPath() -> String { path }
        func localPath() -> String { path }
    }

    private func pack(_ frames: [(name: String?, content: String)]) throws -> FileWriter {
        let writer = FileWriter()
        let tar = TarWriter(writer)
        for frame in frames {
            try tar.begin(name: frame.name)
            for byte in Array(frame.content.utf8) { try withUnsafeBytes(of: byte) { try tar.write($0) } }
            try tar.end()
        }
        try tar.finish()
        #expect(tar.frameCount == frames.count)
        #expect(writer.count % 512 == 0)
        _ = try writer.commit()
        return writer
    }

    /// What the system's `tar` says of an archive.
    private func tar(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/tar")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }

    @Test("tar reads what was packed")
    func content() throws {
        let long = String(repeating: "x", count: 513)
        let writer = try pack([("a.png", "one"), ("b.png", ""), ("c.png", long)])
        #expect(try tar(["-tf", writer.path]) == "a.png\nb.png\nc.png\n")
        #expect(try tar(["-xOf", writer.path, "a.png"]) == "one")
        #expect(try tar(["-xOf", writer.path, "c.png"]) == long)
    }

    @Test("names are made safe and unique, long ones are kept, and frames without one are counted")
    func names() throws {
        let long = String(repeating: "n", count: 150) + ".png"
        let writer = try pack([
            ("../../etc/passwd", "1"), (nil, "2"), ("img 10.png", "3"), ("img 10.png", "4"), (long, "5"), ("", "6"),
            (".hidden", "7"), (String(repeating: "y", count: 300), "8"), ("ä\n\u{0}.jpg", "9"), ("a/b.png", "10"),
        ])
        #expect(
            try tar(["-tf", writer.path]).split(separator: "\n").map(String.init) == [
                "_._.._etc_passwd", "000002.img", "img_10.png", "img_10_000004.png", long, "000006.img", "_hidden",
                "000008.img", "____.jpg", "a_b.png",
            ])
        #expect(try tar(["-xOf", writer.path, long]) == "5")
    }

    @Test("the same frames give the same bytes")
    func determinism() throws {
        let frames: [(name: String?, content: String)] = [("a.png", "one"), (nil, "two")]
        let first = try pack(frames)
        let second = try pack(frames)
        #expect(FileManager.default.contentsEqual(atPath: first.path, andPath: second.path))
    }
}
