import FileBlobStore
import Foundation
import Jobs
import Testing

@testable import Workers

@Suite("Putting parts together")
struct RecordMergerTests {
    private let blobs: FileBlobStore

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("merger-\(UUID().uuidString)")
        blobs = try FileBlobStore(directory: folder.path)
    }

    /// A target that one could mistake for the end of a list.
    private func target(_ id: String) -> TargetRecord {
        TargetRecord(
            id: id, box: PixelBox(x: 1.5, y: 2, width: 30, height: 40), quad: [1, 2, 3, 4, 5, 6, 7, 8],
            affine: [1, 0, 0, 0, 1, 0], state: .tracked, confidence: 0.5, zncc: 0.25, residual: 3.125, iterations: 4,
            isKeyframe: false)
    }

    private func record(_ frame: Int, _ ids: [String]) -> FrameRecord {
        FrameRecord(frame: frame, pts: Int64(frame) * 512, time: Double(frame) / 25, targets: ids.map(target))
    }

    private func reader(_ key: String, _ records: [FrameRecord]) throws -> any BlobReader {
        let writer = try blobs.create(key)
        var bytes: [UInt8] = []
        for record in records { record.appendLine(to: &bytes) }
        try bytes.withUnsafeBytes { try writer.write($0) }
        _ = try writer.commit()
        return try #require(try blobs.open(key))
    }

    private func merged(_ parts: [[FrameRecord]]) throws -> [UInt8] {
        var merger = RecordMerger(try parts.enumerated().map { try reader("part-\($0.offset)", $0.element) })
        var bytes: [UInt8] = []
        while let line = try merger.next() { bytes += line }
        return bytes
    }

    private func lines(_ records: [FrameRecord]) -> [UInt8] {
        records.reduce(into: []) { $1.appendLine(to: &$0) }
    }

    @Test("records are those that one worker would have written, byte for byte")
    func bytes() throws {
        let names = ["a", "\"targets\":[", "]}", "müll,{", "e"]
        let whole = (0..<5).map { record($0 * 3, names) }
        let parts = [0..<2, 2..<3, 3..<5].map { range in (0..<5).map { record($0 * 3, Array(names[range])) } }
        #expect(try merged(parts) == lines(whole))
    }

    @Test("a part whose targets have not begun leaves no trace")
    func lateTargets() throws {
        let parts = [
            [record(0, []), record(1, ["a"])], [record(0, ["b"]), record(1, ["b"])], [record(0, []), record(1, [])],
        ]
        #expect(try merged(parts) == lines([record(0, ["b"]), record(1, ["a", "b"])]))
        #expect(try merged([[record(0, [])], [record(0, [])]]) == lines([record(0, [])]))
    }

    @Test("behind the end of a part that was stopped the others go on")
    func ragged() throws {
        let parts = [[record(0, ["a"])], [], [record(0, ["b"]), record(1, ["b"])]]
        #expect(try merged(parts) == lines([record(0, ["a", "b"]), record(1, ["b"])]))
    }

    @Test("parts of other frames, and lines that are no records, are refused")
    func corrupt() throws {
        #expect(throws: JobsError.self) { try merged([[record(0, ["a"])], [record(1, ["b"])]]) }
        let writer = try blobs.create("junk")
        try Array("{\"frame\":0}\n".utf8).withUnsafeBytes { try writer.write($0) }
        _ = try writer.commit()
        var merger = RecordMerger([try #require(try blobs.open("junk"))])
        #expect(throws: JobsError.self) { try merger.next() }
    }
}
