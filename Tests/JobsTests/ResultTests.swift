import Foundation
import Jobs
import Synchronization
import Testing

@Suite("Results")
struct ResultTests {
    static func target(
        _ id: String, x: Double = 70, state: TargetRecord.State = .tracked, confidence: Double = 0.9876543
    ) -> TargetRecord {
        TargetRecord(
            id: id, box: PixelBox(x: x, y: 51.12345, width: 107, height: 87.5),
            quad: [x, 51.12345, x + 107, 51.12345, x + 107, 138.62345, x, 138.62345],
            affine: [1.0000004, -0.25, 3.5, 0.0000004, 1, -2], state: state, confidence: confidence, zncc: -0.5,
            residual: 2.0005, iterations: 17, isKeyframe: false)
    }

    static let records = [
        FrameRecord(frame: 0, pts: 0, time: 0, targets: [target("car")]),
        FrameRecord(frame: 1, pts: 512, time: 1.0 / 30, targets: [target("car", x: 71), target("van", x: -3.0006)]),
        FrameRecord(
            frame: 2, pts: 1024, time: 2.0 / 30, targets: [target("car", x: 72, state: .lost), target("van", x: 5)]),
    ]

    static let spec = JobSpec(
        targets: ["car", "van"].map { id in
            TargetSpec(id: id, box: PixelBox(x: 70, y: 51, width: 107, height: 87))
        })

    static func lines(_ records: [FrameRecord] = records) -> [UInt8] {
        records.reduce(into: []) { $1.appendLine(to: &$0) }
    }

    static func encode(_ format: ResultFormat, _ slice: ResultSlice = ResultSlice()) throws -> String {
        let source = JobSource(
            kind: .video, blobKey: "k", bytes: 9, sha256: "ab12", width: 400, height: 200, frameRate: 30)
        let provenance = ResultProvenance(version: "1.2.3", source: source, spec: spec)
        var encoder = try ResultEncoder(format: format, provenance: provenance, slice: slice)
        var bytes: [UInt8] = []
        encoder.begin(into: &bytes)
        for record in records { encoder.append(record, into: &bytes) }
        encoder.end(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("a line holds rounded numbers without needless digits")
    func line() {
        var bytes: [UInt8] = []
        Self.records[1].appendLine(to: &bytes)
        let target = """
            "box":[-3.001,51.123,107,87.5],"quad":[-3.001,51.123,103.999,51.123,103.999,138.623,-3.001,138.623],\
            "affine":[1,-0.25,3.5,0,1,-2],"state":"tracked","confidence":0.987654,"zncc":-0.5,"residual":2.001,\
            "iterations":17,"keyframe":false}
            """
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix(#"{"frame":1,"pts":512,"time":0.033333,"targets":[{"id":"car","box":[71,"#))
        #expect(text.hasSuffix("{\"id\":\"van\"," + target + "]}\n"))
    }

    @Test("a line reads back, and writes the same bytes again")
    func roundTrip() throws {
        for record in Self.records {
            var bytes: [UInt8] = []
            record.appendLine(to: &bytes)
            let read = try FrameRecord(line: bytes)
            #expect(read.targets.map(\.state) == record.targets.map(\.state))
            var again: [UInt8] = []
            read.appendLine(to: &again)
            #expect(again == bytes)
        }
    }

    @Test("numbers of any size are written as JSON, and those that are none as null")
    func extremeNumbers() throws {
        var target = Self.target("car")
        for number in [1e300, -1e17, 123_456_789.123_456, 1e-300, -0.0004, 0.9995, -0.0, 9.007e15] {
            target.box.x = number
            var bytes: [UInt8] = []
            FrameRecord(frame: .max, pts: .min, time: 0, targets: [target]).appendLine(to: &bytes)
            let json = try JSONValue(parsing: bytes)
            let read = try #require(json["targets"]?.arrayValue?.first?["box"]?.arrayValue?.first?.doubleValue)
            #expect(abs(read - number) <= max(0.0005, abs(number) * 1e-12))
        }
        target.zncc = .nan
        var bytes: [UInt8] = []
        FrameRecord(frame: 0, pts: 0, time: 0, targets: [target]).appendLine(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self).contains("\"zncc\":null"))
        #expect(try FrameRecord(line: bytes).targets.first?.zncc.isNaN == true)
    }

    @Test("a number that was read is written as it was, up to the largest", arguments: 40...60)
    func writtenAgain(exponent: Int) throws {
        var target = Self.target("car")
        for offset in -2...2 {
            target.box.x = (Double(sign: .plus, exponent: exponent, significand: 1) + Double(offset)) / 1000
            var bytes: [UInt8] = []
            FrameRecord(frame: 0, pts: 0, time: 0, targets: [target]).appendLine(to: &bytes)
            var again: [UInt8] = []
            try FrameRecord(line: bytes).appendLine(to: &again)
            #expect(bytes == again)
        }
    }

    @Test(
        "a line that is no record is refused",
        arguments: [
            "", "{}", "[]", #"{"frame":0,"pts":0,"time":0,"targets":[{}]}"#,
            #"{"frame":0,"pts":0,"time":null,"targets":[]}"#, #"{"frame":-1,"pts":0,"time":0,"targets":[]}"#,
        ])
    func noRecord(_ text: String) {
        #expect(throws: JSONError.self) { try FrameRecord(line: text.utf8) }
    }

    @Test("json holds its provenance and every frame")
    func json() throws {
        let json = try JSONValue(parsing: try Self.encode(.json).utf8)
        #expect(json["version"] == "1.2.3")
        #expect(json["source"]?["sha256"] == "ab12")
        #expect(try SpecReader.read(try #require(json["spec"])) == Self.spec)
        #expect(json["frames"]?.arrayValue?.map { $0["frame"]?.intValue } == [0, 1, 2])
        let target = json["frames"]?.arrayValue?[1]["targets"]?.arrayValue?[1]
        #expect(target?["id"] == "van")
        #expect(target?["quad"]?.arrayValue?.count == 8)
        #expect(target?["affine"]?.arrayValue?.count == 6)
    }

    @Test("an empty result is still a whole document")
    func empty() throws {
        let slice = ResultSlice(from: 100)
        #expect(try JSONValue(parsing: try Self.encode(.json, slice).utf8)["frames"] == [])
        #expect(try Self.encode(.ndjson, slice).isEmpty)
        #expect(try Self.encode(.csv, slice).split(separator: "\n").count == 1)
    }

    @Test("ndjson is a frame a line")
    func ndjson() throws {
        #expect(try Self.encode(.ndjson) == String(decoding: Self.lines(), as: UTF8.self))
    }

    @Test("csv is a header and a row for each frame and target")
    func csv() throws {
        let rows = try Self.encode(.csv).split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.count == 6)
        #expect(rows.allSatisfy { $0.count == rows[0].count })
        #expect(rows[0].prefix(5) == ["frame", "pts", "time", "target", "x"])
        #expect(rows[3].prefix(9).joined(separator: ",") == "1,512,0.033333,van,-3.001,51.123,107,87.5,tracked")
    }

    @Test("mot has ten columns, counts from 1, and a lost target has no confidence")
    func mot() throws {
        let rows = try Self.encode(.mot).split(separator: "\n")
        #expect(rows[0] == "1,1,71,52.123,107,87.5,0.987654,-1,-1,-1")
        #expect(rows[2] == "2,2,-2.001,52.123,107,87.5,0.987654,-1,-1,-1")
        #expect(rows[3] == "3,1,73,52.123,107,87.5,0,-1,-1,-1")
        #expect(rows.count == 5)
    }

    @Test("otb is a box a line for one target, and asks for one where there are several")
    func otb() throws {
        #expect(
            try Self.encode(.otb, ResultSlice(target: "car"))
                == "70,51.123,107,87.5\n71,51.123,107,87.5\n72,51.123,107,87.5\n")
        let error = try #require(throws: JobsError.self) { try Self.encode(.otb) }
        #expect(error.code == .targetNeeded)
        #expect(error.message.contains("target="))
    }

    @Test("a slice leaves out its end, and holds its target only")
    func slices() throws {
        let json = try JSONValue(parsing: try Self.encode(.json, ResultSlice(from: 1, to: 2, target: "van")).utf8)
        let frames = try #require(json["frames"]?.arrayValue)
        #expect(frames.map { $0["frame"]?.intValue } == [1])
        #expect(frames[0]["targets"]?.arrayValue?.map { $0["id"] } == ["van"])
        #expect(throws: JobsError.self) { try Self.encode(.json, ResultSlice(target: "bus")) }
    }

    @Test("a stored result streams through each encoder in pieces, to the same bytes", arguments: ResultFormat.allCases)
    func stream(_ format: ResultFormat) throws {
        let many = (0..<2000).map { number in
            FrameRecord(
                frame: number, pts: Int64(number), time: Double(number),
                targets: [Self.target("car"), Self.target("van")])
        }
        let slice = ResultSlice(from: 10, to: 1990, target: format == .otb ? "car" : nil)
        for slice in [slice, ResultSlice(target: slice.target)] {
            let provenance = ResultProvenance(version: "1", spec: Self.spec)
            var encoder = try ResultEncoder(format: format, provenance: provenance, slice: slice)
            let stream = try ResultStream(
                reader: MemoryBlob(Self.lines(many) + Array("{\"frame\":20".utf8)), encoder: encoder,
                scratch: { MemoryScratch() })
            var streamed: [UInt8] = []
            while let piece = try stream.next() {
                #expect(piece.count < 200_000)
                streamed += piece
            }
            var whole: [UInt8] = []
            encoder.begin(into: &whole)
            for record in many { encoder.append(record, into: &whole) }
            encoder.end(into: &whole)
            #expect(streamed.elementsEqual(whole))
            #expect(try stream.next() == nil)
        }
    }

    @Test("a stored line that is no record is reported as corrupt")
    func corrupt() throws {
        let provenance = ResultProvenance(version: "1", spec: Self.spec)
        let encoder = try ResultEncoder(format: .csv, provenance: provenance)
        let stream = try ResultStream(
            reader: MemoryBlob(Array("nonsense\n".utf8)), encoder: encoder, scratch: { MemoryScratch() })
        let error = try #require(throws: JobsError.self) { while try stream.next() != nil {} }
        #expect(error.code == .corrupt)
    }
}

/// A blob that is in memory: only its reading side is needed here.
final class MemoryBlob: BlobReader {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var count: Int64 { Int64(bytes.count) }
    var fileDescriptor: Int32? { nil }

    /// A few bytes at a time, so that lines are broken everywhere.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int {
        let piece = bytes.dropFirst(Int(offset)).prefix(min(buffer.count, 1013))
        buffer.copyBytes(from: piece)
        return piece.count
    }
}

/// A scratch file that is in memory, and what was done with it.
final class MemoryScratch: ScratchFile {
    private let bytes = Mutex<[UInt8]>([])

    var count: Int { bytes.withLock { $0.count } }

    func append(_ bytes: UnsafeRawBufferPointer) { self.bytes.withLock { $0 += bytes } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int {
        bytes.withLock { bytes in
            let piece = bytes.dropFirst(Int(offset)).prefix(buffer.count)
            buffer.copyBytes(from: piece)
            return piece.count
        }
    }
}
