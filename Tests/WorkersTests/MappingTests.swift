import Jobs
import Media
import Testing
import Tracking
import TrackingAPI

@testable import Workers

@Suite("Mappings")
struct MappingTests {
    @Test("the spec has the same choices as the tracker, under the same names, and its defaults are the tracker's")
    func choices() {
        #expect(TrackerSpec.Mode.allCases.map(\.rawValue) == TrackerOptions.Mode.allCases.map(\.rawValue))
        #expect(TrackerSpec.Motion.allCases.map(\.rawValue) == TrackerOptions.Motion.allCases.map(\.rawValue))
        #expect(TrackerSpec.Aligner.allCases.map(\.rawValue) == TrackerOptions.Aligner.allCases.map(\.rawValue))
        #expect(
            TrackerSpec.Illumination.allCases.map(\.rawValue) == TrackerOptions.Illumination.allCases.map(\.rawValue))
        #expect(TrackerSpec.OnLost.allCases.map(\.rawValue) == TrackerOptions.OnLost.allCases.map(\.rawValue))
        #expect(TargetRecord.State.allCases.map(\.rawValue) == TargetEstimate.State.allCases.map(\.rawValue))
        #expect(PointRecord.State.allCases.map(\.rawValue) == PointEstimate.State.allCases.map(\.rawValue))
        #expect(TargetRequest.mostPoints == SpecLimits.points)
        #expect(TrackerOptions(TrackerSpec()) == TrackerOptions())
    }

    @Test("each choice of the spec becomes the tracker's of the same name, and each state the result's")
    func namesakes() {
        for mode in TrackerSpec.Mode.allCases { #expect(TrackerOptions.Mode(mode).rawValue == mode.rawValue) }
        for motion in TrackerSpec.Motion.allCases {
            #expect(TrackerOptions.Motion(motion).rawValue == motion.rawValue)
        }
        for aligner in TrackerSpec.Aligner.allCases {
            #expect(TrackerOptions.Aligner(aligner).rawValue == aligner.rawValue)
        }
        for illumination in TrackerSpec.Illumination.allCases {
            #expect(TrackerOptions.Illumination(illumination).rawValue == illumination.rawValue)
        }
        for onLost in TrackerSpec.OnLost.allCases {
            #expect(TrackerOptions.OnLost(onLost).rawValue == onLost.rawValue)
        }
        for state in TargetEstimate.State.allCases { #expect(TargetRecord.State(state).rawValue == state.rawValue) }
        for state in PointEstimate.State.allCases { #expect(PointRecord.State(state).rawValue == state.rawValue) }
    }

    @Test("verdicts and findings of a picture have the same names in the interface as in the tracker")
    func trackability() {
        #expect(BoxTrackability.Verdict.allCases.map(\.rawValue) == Trackability.Verdict.allCases.map(\.rawValue))
        let findings = Set(BoxTrackability.Finding.allCases.map(\.rawValue))
        #expect(findings == Set(Trackability.Finding.allCases.map(\.rawValue)))
    }

    @Test("every option of the spec reaches the tracker")
    func options() {
        let options = TrackerOptions(
            TrackerSpec(
                motion: .translation, aligner: .esm, levels: 2, maxIterations: 31, epsilon: 0.5, illumination: .clahe,
                gamma: 2, onLost: .stop))
        #expect(
            options
                == TrackerOptions(
                    motion: .translation, aligner: .esm, levels: 2, maxIterations: 31, epsilon: 0.5,
                    illumination: .clahe, gamma: 2, onLost: .stop))
    }

    @Test(
        "an error of the tracker points into the spec",
        arguments: [
            (TrackingError(.boxOutsideFrame, "m", target: 2), "#/targets/2/box"),
            (TrackingError(.invalidBox, "m", target: 0, keyframe: 3), "#/targets/0/keyframes/3/box"),
            (TrackingError(.invalidKeyframe, "m", target: 0, keyframe: 3), "#/targets/0/keyframes/3/frame"),
            (TrackingError(.invalidStartFrame, "m", target: 1), "#/targets/1/start_frame"),
            (TrackingError(.pointOutsideFrame, "m", target: 1, point: 3), "#/targets/1/points/3"),
            (TrackingError(.invalidPoint, "m", target: 0), "#/targets/0/points"),
            (TrackingError(.invalidOption, "m", option: "maxIterations"), "#/tracker/max_iterations"),
        ])
    func pointers(_ error: TrackingError, _ pointer: String) {
        let failure = JobFailure(error)
        #expect(failure.code == .invalidSpec)
        #expect(failure.message == "m")
        #expect(failure.pointer == pointer)
    }

    @Test(
        "an error of the decoder keeps its meaning and its frame; faults of the service keep their details",
        arguments: [
            (.undecodable, .undecodable), (.noFrames, .undecodable), (.sizeChanged, .undecodable),
            (.limitExceeded, .limitExceeded), (.decoderCrashed, .decoderCrashed), (.decoderTimeout, .decoderTimeout),
            (.system, .internalError), (.cannotWrite, .internalError), (.notFound, .internalError),
        ] as [(MediaError.Code, JobFailure.Code)])
    func media(_ code: MediaError.Code, _ expected: JobFailure.Code) {
        let failure = JobFailure(MediaError(code, "secret", frame: 7))
        #expect(failure.code == expected)
        #expect(failure.message.contains("secret") == (expected != .internalError))
        #expect(failure.frame == (expected == .internalError ? nil : 7))
    }

    @Test("a full disk is told as such, other errors of a store are not")
    func stores() {
        #expect(JobFailure(JobsError(.storageFull, "x")).code == .storageFull)
        #expect(JobFailure(MediaError(.storageFull, "x")) == JobFailure(JobsError(.storageFull, "x")))
        #expect(JobFailure(JobsError(.io, "x")).code == .internalError)
        #expect(JobFailure(CancellationError()).code == .internalError)
    }

    @Test(
        "the number of frames to come counts the range and the step",
        arguments: [
            (0, nil, 1, 100, 100), (0, 50, 1, 100, 50), (10, 200, 1, 100, 90), (0, nil, 3, 100, 34),
            (99, nil, 5, 100, 1),
            (100, nil, 1, 100, 0), (0, 50, 1, nil, nil),
        ] as [(Int, Int?, Int, Int?, Int?)])
    func frameCount(_ start: Int, _ stop: Int?, _ step: Int, _ inSource: Int?, _ expected: Int?) {
        let run = TrackingRun(JobSpec(targets: [], startFrame: start, stopFrame: stop, frameStep: step))
        let info = SourceInfo(
            width: 8, height: 8, frameCount: inSource, frameRate: 30, timeBase: .init(1, 30), codec: "png",
            isColor: false)
        #expect(run.frameCount(in: info) == expected)
    }
}

@Suite("Annotation")
struct AnnotationTests {
    private func record(_ frame: Int, _ state: TargetRecord.State, isKeyframe: Bool = false) -> FrameRecord {
        let x = Double(frame)
        let target = TargetRecord(
            id: "car", box: PixelBox(x: x, y: 0, width: 10, height: 10), quad: [x, 0, x + 10, 0, x + 10, 10, x, 10],
            affine: [1, 0, 0, 0, 1, 0], state: state, confidence: 0.876, zncc: 1, residual: 0, iterations: 1,
            isKeyframe: isKeyframe)
        return FrameRecord(frame: frame, pts: 0, time: 0, targets: [target])
    }

    private var annotation: Annotation {
        Annotation(spec: JobSpec(targets: [TargetSpec(id: "car", box: PixelBox(x: 0, y: 0, width: 10, height: 10))]))
    }

    @Test("a tracked target has its corners, its name, its confidence and its trail")
    func tracked() throws {
        var annotation = annotation
        _ = annotation.overlays(for: record(0, .tracked))
        let overlay = try #require(annotation.overlays(for: record(1, .tracked)).first)
        #expect(overlay.outline == [SIMD2(1, 0), SIMD2(11, 0), SIMD2(11, 10), SIMD2(1, 10)])
        #expect(overlay.label == "car 88%")
        #expect(!overlay.isDashed)
        #expect(overlay.trail == [SIMD2(5, 5), SIMD2(6, 5)])
    }

    @Test("a lost target is dashed and leaves no trail; one out of the picture is not drawn")
    func lost() throws {
        var annotation = annotation
        _ = annotation.overlays(for: record(0, .tracked))
        let overlay = try #require(annotation.overlays(for: record(1, .lost)).first)
        #expect(overlay.isDashed)
        #expect(overlay.trail.count == 1)
        #expect(annotation.overlays(for: record(2, .outOfFrame)).isEmpty)
        #expect(annotation.overlays(for: record(3, .tracked)).first?.trail.count == 1)
    }

    @Test("a trail is bounded, and starts anew at a keyframe")
    func trails() {
        var annotation = annotation
        for frame in 0..<100 { _ = annotation.overlays(for: record(frame, .tracked)) }
        #expect(annotation.overlays(for: record(100, .tracked)).first?.trail.count == 30)
        #expect(annotation.overlays(for: record(101, .tracked, isKeyframe: true)).first?.trail.count == 1)
    }
}
