import LucasKanade
import Testing
import Tracking

@Suite("Sessions")
struct SessionTests {
    private static let options = SyntheticScene.Options(
        width: 128, height: 96, frames: 8, seed: 11, targets: 3, targetWidth: 24, targetHeight: 20, speed: 1)

    @Test("a target's estimates do not depend on other targets or on their order")
    func independence() throws {
        let footage = try Footage(Self.options)
        let requests = (0..<3).map(footage.request)
        let together = try track(footage.frames, requests)
        let reversed = try track(footage.frames, requests.reversed())
        for target in 0..<3 {
            let alone = try track(footage.frames, [requests[target]])
            for frame in footage.frames.indices {
                #expect(together[frame][target] == alone[frame][0])
                #expect(reversed[frame][2 - target] == alone[frame][0])
            }
        }
    }

    @Test("the same frames give the same estimates, and a copied session goes on as the original does")
    func determinism() throws {
        let footage = try Footage(Self.options)
        let requests = [footage.request(0), footage.request(1)]
        let reference = try track(footage.frames, requests)
        #expect(try track(footage.frames, requests) == reference)

        var original = try TrackingSession(targets: requests, options: .template)
        var copy = original
        for (frame, image) in footage.frames.enumerated() {
            if frame == 4 { copy = original }
            #expect(try original.process(gray: image, frame: frame) == reference[frame])
        }
        for frame in 4..<8 {
            #expect(try copy.process(gray: footage.frames[frame], frame: frame) == reference[frame])
        }
    }

    @Test("a target has no estimate before its start frame, and its own box there")
    func lateStart() throws {
        let footage = try Footage(Self.options)
        var late = footage.request(1)
        late.startFrame = 3
        late.box = footage.box(1, frame: 3)
        let estimates = try track(footage.frames, [footage.request(0), late])
        for frame in 0..<3 {
            #expect(estimates[frame][0] != nil)
            #expect(estimates[frame][1] == nil)
        }
        let start = try #require(estimates[3][1])
        #expect(start.box == late.box && start.isKeyframe && start.affine == .identity && start.confidence == 1)
        #expect(estimates[7][1]?.isKeyframe == false)
    }

    @Test("a keyframe restarts its target there: the affine map counts from it")
    func keyframe() throws {
        let footage = try Footage(Self.options)
        let truth = footage.scene.truth(frame: 4)[0]
        var request = footage.request(0)
        request.keyframes = [.init(frame: 4, box: truth.box)]
        let estimates = try track(footage.frames, [request]).compactMap { $0[0] }
        #expect(estimates.map(\.isKeyframe) == [true, false, false, false, true, false, false, false])
        #expect(estimates[4].box == truth.box && estimates[4].affine == .identity)
        // What was learnt before does not matter any more.
        let fresh = try track(Array(footage.frames[4...]), box: truth.box)
        #expect(Array(estimates[4...]) == fresh)
        let last = footage.scene.truth(frame: 7)[0]
        let expected = last.affine.composed(with: try #require(truth.affine.inverse)).apply(truth.box.quad)
        #expect(estimates[7].quad.rmsDistance(to: expected) < 0.3)
    }

    @Test("where a start or a keyframe is skipped, the next frame counts; of several skipped boxes the last")
    func skippedFrames() throws {
        let footage = try Footage(Self.options)
        let keyframes = [3, 5].map { TargetRequest.Keyframe(frame: $0, box: footage.box(0, frame: $0)) }
        let request = TargetRequest(id: "a", box: footage.box(0), startFrame: 1, keyframes: keyframes)
        var session = try TrackingSession(targets: [request])
        let frames = [0, 2, 6, 7]
        let estimates = try frames.map {
            try session.process(gray: footage.frames[$0], frame: $0)[0]
        }
        #expect(estimates[0] == nil)
        #expect(estimates[1]?.box == request.box)
        #expect(estimates[2]?.box == keyframes[1].box)
        #expect(estimates[3]?.isKeyframe == false)
    }

    @Test("the result is that of a larger frame with the same picture in it, moved")
    func resolutionIndependence() throws {
        let footage = try Footage(
            .init(width: 160, height: 128, frames: 6, seed: 5, targetWidth: 30, targetHeight: 26, speed: 1))
        let small = try track(footage.frames, box: footage.box())
        let large = footage.frames.map {
            $0.embedded(inWidth: 416, height: 288, x: 128, y: 64) { UInt8(($0 &* 7 &+ $1 &* 13) % 256) }
        }
        var box = footage.box()
        box.x += 128
        box.y += 64
        let moved = try track(large, box: box)
        for (here, there) in zip(small, moved) {
            #expect(abs(there.box.x - 128 - here.box.x) < 1e-6 && abs(there.box.y - 64 - here.box.y) < 1e-6)
            #expect(abs(there.box.width - here.box.width) < 1e-6)
            #expect(abs(there.zncc - here.zncc) < 1e-6 && there.state == here.state)
            #expect(there.iterations == here.iterations)
        }
    }
}

@Suite("What a session refuses")
struct SessionErrorTests {
    private static let good = Box(x: 10, y: 10, width: 20, height: 20)

    @Test(
        "a box that cannot be tracked is refused with its target and keyframe",
        arguments: [
            Box(x: 0, y: 0, width: 3.9, height: 10), Box(x: 0, y: 0, width: 10, height: -10),
            Box(x: .nan, y: 0, width: 10, height: 10), Box(x: 0, y: 0, width: .infinity, height: 10),
            Box(x: 1e300, y: 0, width: 10, height: 10),
        ])
    func badBox(box: Box) {
        let targets = [
            TargetRequest(id: "a", box: Self.good),
            TargetRequest(
                id: "b", box: Self.good, keyframes: [.init(frame: 2, box: Self.good), .init(frame: 3, box: box)]),
        ]
        let error = #expect(throws: TrackingError.self) { try TrackingSession(targets: targets) }
        #expect(error?.code == .invalidBox)
        #expect(error?.target == 1)
        #expect(error?.keyframe == 1)
        let start = #expect(throws: TrackingError.self) {
            try TrackingSession(targets: [TargetRequest(id: "a", box: box)])
        }
        #expect(start?.target == 0)
        #expect(start?.keyframe == nil)
    }

    @Test("keyframes must follow the start and one another", arguments: [[0], [-1], [5, 5], [5, 4]])
    func badKeyframes(frames: [Int]) {
        let keyframes = frames.map { TargetRequest.Keyframe(frame: $0, box: Self.good) }
        let error = #expect(throws: TrackingError.self) {
            try TrackingSession(targets: [TargetRequest(id: "a", box: Self.good, keyframes: keyframes)])
        }
        #expect(error?.code == .invalidKeyframe)
        #expect(error?.target == 0)
        #expect(error?.keyframe == frames.count - 1)
    }

    @Test("ids must differ, there must be a target, and no start frame is below 0")
    func badTargets() {
        func code(_ targets: [TargetRequest]) -> TrackingError.Code? {
            do throws(TrackingError) { _ = try TrackingSession(targets: targets) } catch { return error.code }
            return nil
        }
        #expect(code([]) == .invalidTargets)
        #expect(code([.init(id: "a", box: Self.good), .init(id: "a", box: Self.good)]) == .invalidTargets)
        #expect(code([.init(id: "a", box: Self.good, startFrame: -1)]) == .invalidStartFrame)
        #expect(code([.init(id: "a", box: Self.good)]) == nil)
    }

    @Test(
        "options out of their range are refused by name",
        arguments: [
            (TrackerOptions(levels: 0), "levels"), (.init(levels: 7), "levels"),
            (.init(maxIterations: 0), "maxIterations"), (.init(epsilon: 0), "epsilon"),
            (.init(epsilon: .nan), "epsilon"), (.init(gamma: 0), "gamma"), (.init(gamma: .infinity), "gamma"),
        ])
    func badOptions(options: TrackerOptions, name: String) {
        let error = #expect(throws: TrackingError.self) {
            try TrackingSession(targets: [.init(id: "a", box: Self.good)], options: options)
        }
        #expect(error?.code == .invalidOption)
        #expect(error?.option == name)
    }

    @Test("a box outside the frame is found at the first frame, also a later keyframe's")
    func outside() throws {
        let outside = Box(x: 64, y: 0, width: 20, height: 20)
        let keyframes = [TargetRequest.Keyframe(frame: 9, box: outside)]
        var session = try TrackingSession(targets: [
            .init(id: "a", box: Self.good), .init(id: "b", box: Self.good, keyframes: keyframes),
        ])
        let error = #expect(throws: TrackingError.self) {
            try session.process(gray: .flat(9), frame: 0)
        }
        #expect(error?.code == .boxOutsideFrame)
        #expect(error?.target == 1 && error?.keyframe == 0)
        var partly = try TrackingSession(targets: [.init(id: "a", box: Box(x: 60, y: 40, width: 20, height: 20))])
        #expect(try partly.process(gray: .flat(9), frame: 0).count == 1)
    }

    @Test("a mode that looks at colours refuses a frame without them; a grey one is taken three times")
    func withoutColors() throws {
        for mode in TrackerOptions.Mode.allCases {
            var session = try TrackingSession(
                targets: [.init(id: "a", box: Self.good)], options: TrackerOptions(mode: mode))
            guard session.needsColor else {
                #expect(try session.process(gray: .flat(9), color: nil, frame: 0).count == 1)
                continue
            }
            let error = #expect(throws: TrackingError.self) {
                try session.process(gray: .flat(9), color: nil, frame: 0)
            }
            #expect(error?.code == .invalidFrame && error?.frame == 0)
            #expect(try session.process(gray: .flat(9), color: Image.flat(9).tripled, frame: 0).count == 1)
        }
    }

    @Test("frames must be grey, of one size and in order; a refused frame changes nothing")
    func badFrames() throws {
        var session = try TrackingSession(targets: [.init(id: "a", box: Self.good)])
        _ = try session.process(gray: .flat(9), frame: 5)
        func refuses(_ image: Image, _ frame: Int) -> Bool {
            do throws(TrackingError) { _ = try session.process(gray: image, frame: frame) } catch {
                return error.code == .invalidFrame && error.frame == frame
            }
            return false
        }
        #expect(refuses(.flat(9, width: 65), 6))
        #expect(refuses(.flat(9), 5))
        #expect(refuses(.flat(9), 4))
        #expect(refuses(Image(width: 64, height: 48, channels: 3, pixels: .init(repeating: 0, count: 9216)), 6))
        #expect(try session.process(gray: .flat(9), frame: 6).count == 1)
    }
}
