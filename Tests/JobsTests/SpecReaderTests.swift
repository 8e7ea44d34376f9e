import Foundation
import Jobs
import Testing

@Suite("SpecReader")
struct SpecReaderTests {
    private func read(_ text: String) throws -> JobSpec {
        try SpecReader.read(try JSONValue(parsing: text.utf8, maximumBytes: .max))
    }

    private func problems(_ text: String) throws -> [SpecProblem] {
        try #require(throws: SpecErrors.self) { try read(text) }.problems
    }

    @Test("a box is enough: everything else has its default")
    func defaults() throws {
        let spec = try read(#"{"targets": [{"box": [70, 51, 107, 87]}]}"#)
        let target = TargetSpec(id: "target-1", box: PixelBox(x: 70, y: 51, width: 107, height: 87))
        #expect(spec == JobSpec(targets: [target]))
    }

    @Test("every field is read")
    func everything() throws {
        let spec = try read(
            """
            {"targets": [{"id": "car", "box": [70.5, -51, 107, 87], "start_frame": 20,
                          "keyframes": [{"frame": 50, "box": [64, 52, 103, 81]}, {"frame": 60, "box": [1, 2, 4, 4]}],
                          "points": []}, {"box": [0, 0, 4, 4]}],
             "tracker": {"mode": "template", "motion": "similarity", "aligner": "esm", "levels": 2,
                         "max_iterations": 30, "epsilon": 0.5, "illumination": "clahe", "gamma": 2.2, "on_lost": "hold"},
             "start_frame": 10, "stop_frame": 100, "frame_step": 5, "output": {"video": "avi", "crops": true},
             "webhook": null, "deadline_seconds": 600, "priority": -3, "labels": {"camera": "7", "site": "Köln"}}
            """)
        #expect(spec.targets.map(\.id) == ["car", "target-2"])
        #expect(spec.targets[0].startFrame == 20)
        #expect(spec.targets[1].startFrame == 10)
        #expect(spec.targets[0].keyframes.map(\.frame) == [50, 60])
        #expect(spec.targets[0].box == PixelBox(x: 70.5, y: -51, width: 107, height: 87))
        #expect(
            spec.tracker
                == TrackerSpec(
                    mode: .template, motion: .similarity, aligner: .esm, levels: 2, maxIterations: 30, epsilon: 0.5,
                    illumination: .clahe, gamma: 2.2, onLost: .hold))
        #expect((spec.startFrame, spec.stopFrame, spec.frameStep) == (10, 100, 5))
        #expect(spec.output == OutputSpec(video: .avi, crops: true))
        #expect(spec.deadlineSeconds == 600)
        #expect(spec.priority == -3)
        #expect(spec.labels == ["camera": "7", "site": "Köln"])
    }

    @Test("what is written reads back the same")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<500 {
            let spec = RandomSpec.make(&random)
            let bytes = SpecWriter.json(spec).encoded()
            #expect(try SpecReader.read(try JSONValue(parsing: bytes)) == spec)
            #expect(SpecWriter.json(spec).encoded() == bytes)
        }
    }

    @Test(
        "each fault is a problem with its place",
        arguments: [
            ("{}", "#/targets"), ("[]", "#"), (#"{"targets": []}"#, "#/targets"), (#"{"targets": {}}"#, "#/targets"),
            (#"{"targets": [1]}"#, "#/targets/0"), (#"{"targets": [{}]}"#, "#/targets/0/box"),
            (#"{"targets": [{"box": [1, 2, 3.99, 10]}]}"#, "#/targets/0/box"),
            (#"{"targets": [{"box": [1, 2, 10]}]}"#, "#/targets/0/box"),
            (#"{"targets": [{"box": [-10, 2, 10, 10]}]}"#, "#/targets/0/box"),
            (#"{"targets": [{"box": [1, -10.5, 10, 10]}]}"#, "#/targets/0/box"),
            (#"{"targets": [{"box": [1, 2, 10, "4"]}]}"#, "#/targets/0/box"),
            (#"{"targets": [{"box": [1, 2, -10, 10]}]}"#, "#/targets/0/box"),
            (#"{"targets": [{"box": [1e308, 2, 1e308, 10]}]}"#, "#/targets/0/box"),
            (#"{"targets": [{"box": [1, 2, 4, 4], "boxx": 1}]}"#, "#/targets/0/boxx"),
            (#"{"targets": [{"box": [1, 2, 4, 4], "id": ""}]}"#, "#/targets/0/id"),
            (#"{"targets": [{"box": [1, 2, 4, 4], "id": "a/b"}]}"#, "#/targets/0/id"),
            (#"{"targets": [{"box": [1, 2, 4, 4], "id": 5}]}"#, "#/targets/0/id"),
            (#"{"targets": [{"box": [1, 2, 4, 4], "start_frame": 1.5}]}"#, "#/targets/0/start_frame"),
            (#"{"targets": [{"box": [1, 2, 4, 4], "points": [[1, 2]]}]}"#, "#/targets/0/points"),
            (#"{"targets": [{"box": [1, 2, 4, 4], "keyframes": 1}]}"#, "#/targets/0/keyframes"),
            (
                #"{"targets": [{"box": [1, 2, 4, 4], "keyframes": [{"box": [1, 2, 4, 4]}]}]}"#,
                "#/targets/0/keyframes/0/frame"
            ),
            (
                #"{"targets": [{"box": [1, 2, 4, 4], "keyframes": [{"frame": 0, "box": [1, 2, 4, 4]}]}]}"#,
                "#/targets/0/keyframes/0/frame"
            ),
            (
                #"{"targets": [{"box": [1, 2, 4, 4], "keyframes": [{"frame": 5, "box": [1, 2, 3, 4]}]}]}"#,
                "#/targets/0/keyframes/0/box"
            ),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "a/b~c d": 1}"#, "#/a~1b~0c%20d"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "webhook": "https://x"}"#, "#/webhook"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "webhook": {}}"#, "#/webhook/url"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "webhook": {"url": "https://x", "a": 1}}"#, "#/webhook/a"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "source": {"job": "x"}}"#, "#/source"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "output": {"crops": 1}}"#, "#/output/crops"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "output": {"video": "mkv"}}"#, "#/output/video"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "output": []}"#, "#/output"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "start_frame": -1}"#, "#/start_frame"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "start_frame": 1e18}"#, "#/start_frame"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "stop_frame": 0}"#, "#/stop_frame"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "stop_frame": "9"}"#, "#/stop_frame"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "frame_step": 0}"#, "#/frame_step"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "priority": 101}"#, "#/priority"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "deadline_seconds": 0}"#, "#/deadline_seconds"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "labels": {"a b": "1"}}"#, "#/labels/a%20b"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "labels": {"a": 1}}"#, "#/labels/a"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "labels": {"a": "x\ny"}}"#, "#/labels/a"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "tracker": {"mode": "magic"}}"#, "#/tracker/mode"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "tracker": {"levels": 7}}"#, "#/tracker/levels"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "tracker": {"epsilon": 0}}"#, "#/tracker/epsilon"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "tracker": {"gamma": null}}"#, "#/tracker/gamma"),
            (#"{"targets": [{"box": [1, 2, 4, 4]}], "tracker": "template"}"#, "#/tracker"),
        ])
    func faults(_ text: String, _ pointer: String) throws {
        let problems = try problems(text)
        #expect(problems.map(\.pointer) == [pointer])
        #expect(problems.first?.detail.isEmpty == false)
    }

    @Test("all problems come at once")
    func collecting() throws {
        let problems = try problems(
            """
            {"targets": [{"id": "a", "box": [1, 2, 4, 4]}, {"id": "a", "box": [1, 2, 3, 4]}], "colour": 1,
             "tracker": {"levels": 0, "motion": "affin"}, "priority": "high", "frame_step": -1}
            """)
        #expect(
            Set(problems.map(\.pointer)) == [
                "#/targets/1/box", "#/targets/1/id", "#/colour", "#/tracker/levels", "#/tracker/motion", "#/priority",
                "#/frame_step",
            ])
    }

    @Test("a field of a later version is told from a wrong one")
    func later() throws {
        let source = try problems(#"{"targets": [{"box": [1, 2, 4, 4]}], "source": {}}"#).first?.detail
        #expect(source == "not supported by this version")
    }

    @Test("a frame that would not be tracked is refused where it was given")
    func ranges() throws {
        let pointers = try problems(
            """
            {"start_frame": 10, "stop_frame": 30, "frame_step": 5,
             "targets": [{"box": [1, 2, 4, 4], "start_frame": 9}, {"box": [1, 2, 4, 4], "start_frame": 30},
                         {"box": [1, 2, 4, 4], "start_frame": 12},
                         {"box": [1, 2, 4, 4], "keyframes": [{"frame": 15, "box": [1, 2, 4, 4]},
                            {"frame": 15, "box": [1, 2, 4, 4]}, {"frame": 21, "box": [1, 2, 4, 4]},
                            {"frame": 35, "box": [1, 2, 4, 4]}]}]}
            """
        ).map(\.pointer)
        #expect(
            pointers == [
                "#/targets/0/start_frame", "#/targets/1/start_frame", "#/targets/2/start_frame",
                "#/targets/3/keyframes/1/frame", "#/targets/3/keyframes/2/frame", "#/targets/3/keyframes/3/frame",
            ])
    }

    @Test("numbers of targets, labels and problems are limited")
    func limits() throws {
        func targets(_ count: Int) -> String {
            "{\"targets\": [\((0..<count).map { _ in "{\"box\": [1, 2, 4, 4]}" }.joined(separator: ","))]}"
        }
        #expect(try read(targets(64)).targets.count == 64)
        #expect(try problems(targets(65)).map(\.pointer) == ["#/targets"])
        let labels = (0..<17).map { "\"l\($0)\": \"\"" }.joined(separator: ",")
        #expect(
            try problems("{\"targets\": [{\"box\": [1, 2, 4, 4]}], \"labels\": {\(labels)}}").map(\.pointer) == [
                "#/labels"
            ])
        let unknown = (0..<500).map { "\"u\($0)\": 1" }.joined(separator: ",")
        #expect(try problems("{\(unknown)}").count == SpecLimits.problems)
    }

    @Test("the errors of a problem document hold pointer and detail")
    func errorsJSON() {
        let errors = SpecErrors([SpecProblem(pointer: "#/a", detail: "b")])
        #expect(String(decoding: errors.json.encoded(), as: UTF8.self) == ##"[{"pointer":"#/a","detail":"b"}]"##)
    }
}
