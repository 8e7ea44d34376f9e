import Jobs
import Testing

@Suite("Points in specs and results")
struct PointsTests {
    private func read(_ text: String) throws -> JobSpec { try SpecReader.read(try JSONValue(parsing: text.utf8)) }

    private func problems(_ text: String) throws -> [SpecProblem] {
        try #require(throws: SpecErrors.self) { try read(text) }.problems
    }

    /// A spec in mode `points` with one target.
    private func spec(_ target: String) -> String {
        "{\"tracker\": {\"mode\": \"points\"}, \"targets\": [\(target)]}"
    }

    @Test("a target has a box, or points, or both")
    func shapes() throws {
        let points = try read(spec(#"{"points": [[12.5, 40], [0, 1000000]]}"#)).targets[0]
        #expect(points.box == nil)
        #expect(points.points == [PixelPoint(x: 12.5, y: 40), PixelPoint(x: 0, y: 1_000_000)])
        let both = try read(spec(#"{"box": [1, 2, 30, 40], "points": [[5, 6]]}"#)).targets[0]
        #expect(both.box == PixelBox(x: 1, y: 2, width: 30, height: 40) && both.points.count == 1)
        for none in [#"{"box": [1, 2, 30, 40]}"#, #"{"box": [1, 2, 30, 40], "points": []}"#] {
            let box = try read(spec(none)).targets[0]
            #expect(box.box != nil && box.points.isEmpty)
        }
    }

    @Test("what is written reads back the same, and a spec from before there were points reads as it did")
    func roundTrip() throws {
        for target in [
            #"{"points": [[0.1, 40.25]], "keyframes": [{"frame": 5, "box": [1, 2, 4, 4]}]}"#,
            #"{"box": [1, 2, 30, 40], "points": [[5, 6], [7, 8]]}"#, #"{"box": [1, 2, 30, 40]}"#,
        ] {
            let spec = try read(spec(target))
            let bytes = SpecWriter.json(spec).encoded()
            #expect(try SpecReader.read(try JSONValue(parsing: bytes)) == spec)
            #expect(SpecWriter.json(spec).encoded() == bytes)
        }
        let stored = #"{"targets":[{"id":"car","box":[1,2,30,40],"start_frame":0,"keyframes":[]}]}"#
        #expect(try read(stored).targets == [TargetSpec(id: "car", box: PixelBox(x: 1, y: 2, width: 30, height: 40))])
        #expect(SpecWriter.json(try read(stored))["targets"]?.arrayValue?.first?["points"] == nil)
    }

    @Test(
        "each fault is a problem with its place",
        arguments: [
            (#"{}"#, "#/targets/0/box"), (#"{"points": []}"#, "#/targets/0/box"),
            (#"{"points": 1}"#, "#/targets/0/points"), (#"{"points": [[1, 2], [1]]}"#, "#/targets/0/points/1"),
            (#"{"points": [[1, 2], [3, 4], [5, 6], [1, "2"]]}"#, "#/targets/0/points/3"),
            (#"{"points": [[1, -0.5]]}"#, "#/targets/0/points/0"),
            (#"{"points": [[1000001, 5]]}"#, "#/targets/0/points/0"), (#"{"points": [{}]}"#, "#/targets/0/points/0"),
            (#"{"points": [[1, null]]}"#, "#/targets/0/points/0"),
        ])
    func faults(_ target: String, _ pointer: String) throws {
        #expect(try problems(spec(target)).map(\.pointer) == [pointer])
    }

    @Test("points are refused in other modes, and beyond the limit")
    func refusals() throws {
        for tracker in ["", #""tracker": {"mode": "template"}, "#] {
            let mode = try problems("{\(tracker)\"targets\": [{\"points\": [[1, 2]]}]}")
            #expect(mode.map(\.pointer) == ["#/targets/0/points"])
            #expect(mode.first?.detail.contains("points") == true)
        }
        func points(_ count: Int) -> String {
            spec("{\"points\": [\((0..<count).map { _ in "[1,2]" }.joined(separator: ","))]}")
        }
        #expect(try read(points(SpecLimits.points)).targets[0].points.count == 4096)
        #expect(try problems(points(SpecLimits.points + 1)).map(\.pointer) == ["#/targets/0/points"])
    }

    // MARK: Results

    private static let points = [
        PointRecord(
            position: PixelPoint(x: 12.34567, y: 40), dx: -1.5, dy: 0.0004, forwardBackward: 0.01, state: .tracked),
        PointRecord(position: PixelPoint(x: 3, y: 4), dx: 0, dy: 0, forwardBackward: nil, state: .outOfFrame),
    ]

    private static func record(points: [PointRecord]?, peakRatio: Double?, forwardBackward: Double?) -> FrameRecord {
        let target = TargetRecord(
            id: "car", box: PixelBox(x: 1, y: 2, width: 30, height: 40), quad: [1, 2, 31, 2, 31, 42, 1, 42],
            affine: [1, 0, 0, 0, 1, 0], state: .tracked, confidence: 0.5, zncc: 0, residual: 1, iterations: 3,
            isKeyframe: false, points: points, peakRatio: peakRatio, forwardBackward: forwardBackward)
        return FrameRecord(frame: 4, pts: 4, time: 0.1, targets: [target])
    }

    private static func line(_ record: FrameRecord) -> String {
        var bytes: [UInt8] = []
        record.appendLine(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("a line holds points and measurements where there are any, and reads back the same")
    func line() throws {
        let full = Self.line(Self.record(points: Self.points, peakRatio: 2.5, forwardBackward: 0.125))
        #expect(
            full.hasSuffix(
                #""keyframe":false,"peak_ratio":2.5,"forward_backward":0.125,"points":["#
                    + #"{"x":12.346,"y":40,"dx":-1.5,"dy":0,"forward_backward":0.01,"state":"tracked"},"#
                    + #"{"x":3,"y":4,"dx":0,"dy":0,"state":"out_of_frame"}]}]}"# + "\n"))
        let bare = Self.line(Self.record(points: nil, peakRatio: nil, forwardBackward: nil))
        #expect(bare.hasSuffix("\"keyframe\":false}]}\n"))
        for text in [full, bare, Self.line(Self.record(points: [], peakRatio: nil, forwardBackward: 1))] {
            #expect(Self.line(try FrameRecord(line: text.utf8)) == text)
        }
        #expect(throws: JSONError.self) {
            try FrameRecord(line: full.replacing("\"out_of_frame\"", with: "\"gone\"").utf8)
        }
    }

    @Test("csv has the measurements in its last columns, empty where there are none")
    func csv() throws {
        let spec = JobSpec(targets: [TargetSpec(id: "car", box: PixelBox(x: 1, y: 2, width: 30, height: 40))])
        var encoder = try ResultEncoder(format: .csv, provenance: ResultProvenance(version: "1", spec: spec))
        var bytes: [UInt8] = []
        encoder.begin(into: &bytes)
        encoder.append(Self.record(points: Self.points, peakRatio: 2.5, forwardBackward: 0.125), into: &bytes)
        encoder.append(Self.record(points: nil, peakRatio: nil, forwardBackward: nil), into: &bytes)
        let rows = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.map { $0.suffix(2) } == [["peak_ratio", "forward_backward"], ["2.5", "0.125"], ["", ""]])
        #expect(rows.allSatisfy { $0.count == rows[0].count })
    }
}
