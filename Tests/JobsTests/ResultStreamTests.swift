import Foundation
import Jobs
import Synchronization
import Testing

/// How much of a stored result is read, and what memory holds of it.
@Suite("Results that are read")
struct ResultStreamTests {
    private static let ids = (0..<8).map { "t\($0)" }
    private static let spec = JobSpec(
        targets: ids.map { TargetSpec(id: $0, box: PixelBox(x: 70, y: 51, width: 107, height: 87)) })
    /// Every second frame: the slices' bounds lie between two as well.
    private static let records = (0..<400).map { number in
        FrameRecord(
            frame: number * 2, pts: Int64(number), time: Double(number),
            targets: ids.map { ResultTests.target($0, x: Double(number)) })
    }
    private static let stored = ResultTests.lines(records)

    private static func encoder(_ format: ResultFormat, _ slice: ResultSlice) throws -> ResultEncoder {
        try ResultEncoder(format: format, provenance: ResultProvenance(version: "1", spec: spec), slice: slice)
    }

    private static func all(_ stream: ResultStream) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try stream.next() { bytes += piece }
        return bytes
    }

    /// What the encoder makes of all records one by one.
    private static func expected(_ format: ResultFormat, _ slice: ResultSlice) throws -> [UInt8] {
        var encoder = try encoder(format, slice)
        var bytes: [UInt8] = []
        encoder.begin(into: &bytes)
        for record in records { encoder.append(record, into: &bytes) }
        encoder.end(into: &bytes)
        return bytes
    }

    @Test(
        "any slice is what it is of all frames, wherever it begins and ends",
        arguments: [0, 1, 2, 130, 131, 397, 398, 399, 700, 797, 798, 799, 5000],
        [ResultFormat.ndjson, .csv, .cvat])
    func slices(from: Int, format: ResultFormat) throws {
        for to in [from + 1, from + 9, nil] {
            let slice = ResultSlice(from: from, to: to)
            let stream = try ResultStream(
                reader: CountedBlob(Self.stored), encoder: Self.encoder(format, slice), scratch: { MemoryScratch() })
            #expect(try Self.all(stream).elementsEqual(Self.expected(format, slice)))
        }
    }

    @Test(
        "a slice is found without reading what lies before it, and ends the reading",
        arguments: [(790, nil), (1_000_000, nil), (0, 4), (400, 404)] as [(Int, Int?)])
    func skips(from: Int, to: Int?) throws {
        // Long enough that reading it would show.
        let blob = CountedBlob(Self.stored)
        #expect(blob.count > 700_000)
        let stream = try ResultStream(
            reader: blob, encoder: Self.encoder(.cvat, ResultSlice(from: from, to: to)),
            scratch: { MemoryScratch() })
        _ = try Self.all(stream)
        #expect(blob.bytesRead < 250_000)
    }

    @Test(
        "a format that writes a target after the other reads the result once, however many targets there are",
        arguments: [ResultFormat.cvat, .labelstudio, .coco])
    func onePass(format: ResultFormat) throws {
        let blob = CountedBlob(Self.stored)
        let stream = try ResultStream(
            reader: blob, encoder: Self.encoder(format, ResultSlice()), scratch: { MemoryScratch() })
        _ = try Self.all(stream)
        #expect(blob.bytesRead == Int(blob.count))
    }

    @Test(
        "what memory is not to hold goes to a scratch file, and the bytes are the same",
        arguments: [ResultFormat.cvat, .labelstudio, .coco])
    func spooled(format: ResultFormat) throws {
        let scratch = MemoryScratch()
        let made = Mutex(0)
        let stream = try ResultStream(
            reader: CountedBlob(Self.stored), encoder: Self.encoder(format, ResultSlice()), heldBytes: 10_000,
            scratch: {
                made.withLock { $0 += 1 }
                return scratch
            })
        let expected = try Self.expected(format, ResultSlice())
        #expect(try Self.all(stream).elementsEqual(expected))
        #expect(made.withLock { $0 } == 1)
        #expect(scratch.count > expected.count / 4)
    }

    @Test("a short result needs no scratch file, and one that cannot be made breaks off")
    func scratch() throws {
        struct NoFile: Error {}
        let encoder = try Self.encoder(.cvat, ResultSlice())
        let short = try ResultStream(reader: CountedBlob(Self.stored), encoder: encoder, scratch: { throw NoFile() })
        #expect(try Self.all(short).elementsEqual(Self.expected(.cvat, ResultSlice())))
        let long = try ResultStream(
            reader: CountedBlob(Self.stored), encoder: encoder, heldBytes: 10, scratch: { throw NoFile() })
        #expect(throws: NoFile.self) { try Self.all(long) }
    }

    @Test("what is not wanted any more breaks off")
    func unwanted() throws {
        let blob = CountedBlob(Self.stored)
        let stream = try ResultStream(
            reader: blob, encoder: Self.encoder(.cvat, ResultSlice(from: 0, target: "t7")),
            scratch: { MemoryScratch() })
        #expect(throws: CancellationError.self) { while try stream.next(isWanted: { false }) != nil {} }
        #expect(blob.bytesRead < 150_000)
    }
}

/// A blob in memory that counts what is read of it.
private final class CountedBlob: BlobReader {
    private let bytes: [UInt8]
    private let read = Mutex(0)

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var count: Int64 { Int64(bytes.count) }
    var fileDescriptor: Int32? { nil }
    var bytesRead: Int { read.withLock { $0 } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int {
        let piece = bytes.dropFirst(Int(offset)).prefix(buffer.count)
        buffer.copyBytes(from: piece)
        read.withLock { $0 += piece.count }
        return piece.count
    }
}
