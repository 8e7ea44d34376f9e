import Jobs
import Testing

@Suite("SpecForm")
struct SpecFormTests {
    private func read(_ fields: [(String, String)], _ base: String? = nil) throws -> JobSpec {
        let base = try base.map { try JSONValue(parsing: $0.utf8) }
        return try SpecReader.read(try SpecForm.json(fields: fields.map { (name: $0, value: $1) }, base: base))
    }

    private func pointers(_ fields: [(String, String)], _ base: String? = nil) throws -> [String] {
        try #require(throws: SpecErrors.self) { try read(fields, base) }.problems.map(\.pointer)
    }

    @Test("one roi field is enough")
    func roi() throws {
        #expect(
            try read([("roi", "70,51,107.5,87")]).targets == [
                TargetSpec(id: "target-1", box: PixelBox(x: 70, y: 51, width: 107.5, height: 87))
            ])
    }

    @Test("every field of the spec has its form field")
    func everything() throws {
        let spec = try read([
            ("roi", "70,51,107,87"), ("roi", "1,2,30,40"), ("tracker", "template"), ("motion", "similarity"),
            ("aligner", "esm"), ("levels", "2"), ("max_iterations", "30"), ("epsilon", "0.5"),
            ("illumination", "gamma"), ("gamma", "2.2"), ("on_lost", "hold"), ("start_frame", "10"),
            ("stop_frame", "100"), ("frame_step", "5"), ("priority", "-3"), ("deadline_seconds", "600"),
            ("label.camera", "7"), ("label.site", "Köln"), ("video", "mp4"),
            ("keyframe", "target-2:50:64,52,103,81"), ("keyframe", "target-2:45:1,2,4,4"),
        ])
        let same = try SpecReader.read(
            try JSONValue(
                parsing: """
                    {"targets": [{"box": [70, 51, 107, 87]}, {"box": [1, 2, 30, 40],
                        "keyframes": [{"frame": 45, "box": [1, 2, 4, 4]}, {"frame": 50, "box": [64, 52, 103, 81]}]}],
                     "tracker": {"mode": "template", "motion": "similarity", "aligner": "esm", "levels": 2,
                        "max_iterations": 30, "epsilon": 0.5, "illumination": "gamma", "gamma": 2.2, "on_lost": "hold"},
                     "start_frame": 10, "stop_frame": 100, "frame_step": 5, "priority": -3, "deadline_seconds": 600,
                     "labels": {"camera": "7", "site": "Köln"}, "output": {"video": "mp4"}}
                    """.utf8))
        #expect(spec == same)
    }

    @Test("objects and arrays come as JSON text, and single fields complete them in any order")
    func jsonText() throws {
        let spec = try read([
            ("motion", "translation"), ("tracker", #"{"levels": 1}"#), ("label.b", "2"), ("labels", #"{"a": "1"}"#),
            ("targets", #"[{"id": "car", "box": [1, 2, 4, 4]}]"#), ("keyframe", "car:3:1,2,5,5"),
            ("crops", "true"), ("output", #"{"video": "avi"}"#), ("stop_frame", "null"),
        ])
        #expect(spec.tracker.levels == 1)
        #expect(spec.tracker.motion == .translation)
        #expect(spec.labels == ["a": "1", "b": "2"])
        #expect(spec.targets.map(\.id) == ["car"])
        #expect(spec.targets.first?.keyframes.map(\.frame) == [3])
        #expect(spec.output == OutputSpec(video: .avi, crops: true))
    }

    @Test("fields complete a spec that came along")
    func base() throws {
        let spec = try read(
            [("start_frame", "4"), ("motion", "translation")], #"{"targets": [{"box": [1, 2, 4, 4]}]}"#)
        #expect(spec.startFrame == 4)
        #expect(spec.targets.count == 1)
    }

    @Test(
        "what is given twice is a conflict that names its field",
        arguments: [
            ([("roi", "1,2,4,4")], #"{"targets": [{"box": [1, 2, 4, 4]}]}"#, "#/roi"),
            ([("start_frame", "1")], #"{"start_frame": 1}"#, "#/start_frame"),
            ([("motion", "affine")], #"{"tracker": {"motion": "affine"}}"#, "#/motion"),
            ([("start_frame", "1"), ("start_frame", "2")], "{}", "#/start_frame"),
            ([("label.a", "1"), ("label.a", "1")], "{}", "#/label.a"),
            ([("tracker", "template"), ("tracker", "{}")], #"{"tracker": {"mode": "template"}}"#, "#/tracker"),
        ])
    func conflicts(_ fields: [(String, String)], _ base: String, _ pointer: String) throws {
        #expect(try pointers(fields, base).contains(pointer))
    }

    @Test(
        "a field that is wrong is a problem with its name",
        arguments: [
            ("roi", "70,51,107"), ("roi", "70,51,107,nan"), ("roi", "a,b,c,d"), ("roi", ""), ("roi", "1,2,4,4,5"),
            ("roi", "1,2,4,1e999"), ("roi", "1, 2,4,0x10"), ("keyframe", "target-1:5"), ("keyframe", "x:5:1,2,4,4"),
            ("keyframe", "target-1:-5:1,2,4,4"), ("start_frame", "one"), ("start_frame", ""), ("tracker", "{"),
            ("labels", "a=b"), ("colour", "1"), ("spec", "{}"), ("label", "x"),
        ])
    func faults(_ name: String, _ value: String) throws {
        #expect(try pointers([(name, value)]).first == "#/\(name)")
    }

    @Test("the fields that are offered in place of an unknown one are those that are supported")
    func offers() {
        do throws(SpecErrors) {
            _ = try SpecForm.json(fields: [("colour", "1")], base: nil)
            Issue.record("the field is taken")
        } catch {
            let detail = error.problems.first?.detail ?? ""
            let offered = detail.replacing("unknown field; known here: ", with: "").split(separator: ", ")
            #expect(offered.contains("roi") && offered.contains("deadline_seconds"))
            #expect(offered.contains("webhook") && !offered.contains("source"))
        }
    }

    @Test("a base that is no object is a problem")
    func noObject() throws {
        #expect(try pointers([], "[]") == ["#"])
    }
}
