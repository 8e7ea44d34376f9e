import LucasKanade
import Testing
import Tracking

private let robust = TrackerOptions(mode: .robust)

@Suite("Robust tracker")
struct RobustTrackerTests {
    @Test("a target is held through noise, light, scale and rotation", arguments: 1...4 as ClosedRange<UInt64>)
    func holds(seed: UInt64) throws {
        let footage = try Footage(
            .init(width: 320, height: 240, frames: 90, seed: seed, noise: 5, gain: 0.7...1.3, motionBlur: 0.3))
        let estimates = try track(footage.frames, box: footage.box(), robust)
        for (frame, estimate) in estimates.enumerated() {
            #expect(estimate.state == .tracked)
            #expect(estimate.box.intersectionOverUnion(footage.box(frame: frame)) > 0.7)
        }
        #expect(estimates.allSatisfy { $0.isSound && $0.isBounded(width: 320, height: 240) })
    }

    @Test("every aligner, motion and illumination holds it")
    func options() throws {
        let footage = try Footage(.init(width: 200, height: 160, frames: 30, seed: 6, noise: 3))
        let choices: [TrackerOptions] =
            TrackerOptions.Aligner.allCases.map { .init(mode: .robust, aligner: $0) }
            + TrackerOptions.Motion.allCases.map { .init(mode: .robust, motion: $0) }
            + TrackerOptions.Illumination.allCases.map { .init(mode: .robust, illumination: $0, gamma: 0.8) }
        for options in choices {
            let last = try #require(try track(footage.frames, box: footage.box(), options).last)
            #expect(last.state == .tracked)
            #expect(last.box.intersectionOverUnion(footage.box(frame: 29)) > 0.6, "\(options)")
        }
    }

    @Test("a target leaves learning alone while it is hidden, and is found when it has come out", arguments: 1...14)
    func occlusion(seed: Int) throws {
        let footage = try Footage(
            .init(
                width: 240, height: 120, frames: 70, seed: UInt64(seed), targetWidth: 32, targetHeight: 30, speed: 0.5,
                noise: 3, occluder: true))
        let hidden = footage.frames.indices.filter { footage.scene.truth(frame: $0)[0].visible == 0 }
        #expect(!hidden.isEmpty)
        let estimates = try track(footage.frames, box: footage.box(), robust)
        for frame in hidden { #expect(estimates[frame].state != .tracked || estimates[frame].confidence < 0.6) }
        let last = try #require(estimates.last)
        #expect(last.state == .tracked && last.confidence > 0.6)
        #expect(last.box.intersectionOverUnion(footage.box(frame: 69)) > 0.6)
    }

    @Test("colour alone holds a target that is as bright as the ground")
    func color() throws {
        let (width, height) = (160, 120)
        let gray = Image.flat(120, width: width, height: height)
        func picture(_ x: Int) -> Image {
            let pixels = (0..<width * height).flatMap { k -> [UInt8] in
                let isTarget = (x..<x + 30).contains(k % width) && (40..<70).contains(k / width)
                // 0.114 b + 0.587 g + 0.299 r is 120 in both.
                return isTarget ? [60, 94, 194] : [150, 131, 87]
            }
            return Image(width: width, height: height, channels: 3, pixels: pixels)
        }
        var session = try TrackingSession(
            targets: [.init(id: "a", box: Box(x: 40, y: 40, width: 30, height: 30))], options: robust)
        #expect(session.needsColor)
        for frame in 0..<25 {
            let x = 40 + 2 * frame
            let estimate = try #require(try session.process(gray: gray, color: picture(x), frame: frame)[0])
            #expect(estimate.box.intersectionOverUnion(Box(x: Double(x), y: 40, width: 30, height: 30)) > 0.8)
        }
    }

    @Test("the same frames give the same estimates, alone, beside others, and from a copy")
    func determinism() throws {
        let footage = try Footage(.init(width: 200, height: 160, frames: 14, seed: 8, targets: 2, noise: 4))
        let requests = [footage.request(0), footage.request(1)]
        let together = try track(footage.frames, requests, robust)
        #expect(try track(footage.frames, requests, robust) == together)
        for target in 0..<2 {
            let alone = try track(footage.frames, [requests[target]], robust)
            #expect(alone.map { $0[0] } == together.map { $0[target] })
        }
        var original = try TrackingSession(targets: requests, options: robust)
        var copy = original
        for (frame, image) in footage.frames.enumerated() {
            if frame == 7 { copy = original }
            _ = try original.process(gray: image, frame: frame)
        }
        for frame in 7..<14 {
            #expect(try copy.process(gray: footage.frames[frame], frame: frame) == together[frame])
        }
    }
}

@Suite("Robust tracker: loss")
struct RobustLossTests {
    /// A target, `gone` frames of another scene, then the target again `shift` px further.
    private func vanishing(gone: Int, shift: Int) throws -> (frames: [Image], box: Box, back: Box) {
        let footage = try Footage(.init(width: 300, height: 160, frames: 1, seed: 3, targetWidth: 34, targetHeight: 32))
        let other = try Footage(.init(width: 260, height: 160, frames: 1, seed: 40, targetWidth: 10, targetHeight: 10))
        let start = footage.frames[0].cropped(x: 40, y: 0, width: 260, height: 160)
        let end = footage.frames[0].cropped(x: 40 - shift, y: 0, width: 260, height: 160)
        var box = footage.box()
        box.x -= 40
        var back = box
        back.x += Double(shift)
        return (
            [Image](repeating: start, count: 12) + .init(repeating: other.frames[0], count: gone)
                + .init(repeating: end, count: 14), box, back
        )
    }

    @Test("after a cut a target coasts, is lost, and is found again where it comes back")
    func refound() throws {
        let (frames, box, back) = try vanishing(gone: 12, shift: 36)
        let estimates = try track(frames, box: box, robust)
        let coasting = RobustTrackerParameters().coastingFrames
        #expect(estimates[12..<12 + coasting].allSatisfy { $0.state == .coasting })
        #expect(estimates[12 + coasting..<24].allSatisfy { $0.state == .lost && $0.confidence < 0.2 })
        let last = try #require(estimates.last)
        #expect(last.state == .tracked)
        #expect(last.box.intersectionOverUnion(back) > 0.8)
        #expect(estimates.allSatisfy { $0.isSound && $0.isBounded(width: 260, height: 160) })
    }

    @Test("hold stays where the target was lost, and finds it there")
    func hold() throws {
        let (frames, box, _) = try vanishing(gone: 12, shift: 0)
        let estimates = try track(frames, box: box, .init(mode: .robust, onLost: .hold))
        let lost = estimates[17..<24]
        #expect(lost.allSatisfy { $0.state == .lost && $0.box == lost.first?.box })
        #expect(estimates.last?.state == .tracked)
    }

    @Test("stop gives a lost target up until the next keyframe")
    func stop() throws {
        let (frames, box, _) = try vanishing(gone: 12, shift: 0)
        let request = TargetRequest(id: "a", box: box, keyframes: [.init(frame: 35, box: box)])
        let estimates = try track(frames, [request], .init(mode: .robust, onLost: .stop)).compactMap { $0[0] }
        #expect(estimates[17..<35].allSatisfy { $0.state == .lost && $0.iterations == 0 })
        #expect(estimates[35].isKeyframe && estimates[36].state == .tracked)
    }

    @Test("a target that leaves the frame and comes back is tracked again")
    func leavesAndReturns() throws {
        let wide = try Footage(.init(width: 420, height: 140, frames: 1, seed: 12, targetWidth: 36, targetHeight: 34))
        let whole = wide.box()
        // The camera pans away until the target is outside on the left, and back.
        let offsets = Array(stride(from: 60, through: 230, by: 5)) + stride(from: 225, through: 60, by: -5)
        let frames = offsets.map { wide.frames[0].cropped(x: $0, y: 0, width: 180, height: 140) }
        var box = whole
        box.x -= 60
        let estimates = try track(frames, box: box, robust)
        let away = try #require(offsets.firstIndex(of: 230))
        #expect(estimates[away].state != .tracked)
        let last = try #require(estimates.last)
        #expect(last.state == .tracked)
        #expect(last.box.intersectionOverUnion(box) > 0.7)
        #expect(estimates.allSatisfy { $0.isSound && $0.isBounded(width: 180, height: 140) })
    }
}

@Suite("Robust tracker: pictures without a target")
struct RobustDegenerateTests {
    @Test("flat and black videos give sound estimates that are never tracked", arguments: [UInt8(0), 90, 255])
    func flat(level: UInt8) throws {
        let frames = [Image](repeating: .flat(level), count: 9)
        let estimates = try track(frames, box: Box(x: 20, y: 10, width: 20, height: 16), robust)
        #expect(estimates.allSatisfy { $0.isSound && $0.box == estimates[0].box })
        #expect(estimates[1...].allSatisfy { $0.state != .tracked && $0.confidence == 0 })
    }

    @Test("a box without texture does not wander over textured ground")
    func texturelessBox() throws {
        let scene = try Footage(.init(width: 160, height: 120, frames: 1, seed: 5)).frames[0]
        let patch = Image.flat(120, width: 40, height: 36)
        let frames = (0..<12).map { _ in
            patch.embedded(inWidth: 160, height: 120, x: 60, y: 40) { scene[$0, $1] }
        }
        let box = Box(x: 60, y: 40, width: 40, height: 36)
        let estimates = try track(frames, box: box, robust)
        #expect(estimates.allSatisfy { $0.isSound && $0.box.intersectionOverUnion(box) > 0.8 })
    }

    @Test("in a static video nothing moves, and one frame is its box")
    func still() throws {
        let footage = try Footage(.init(width: 120, height: 100, frames: 1, seed: 2))
        let estimates = try track([Image](repeating: footage.frames[0], count: 40), box: footage.box(), robust)
        #expect(estimates.allSatisfy { $0.state == .tracked && $0.box.intersectionOverUnion(footage.box()) > 0.97 })
        #expect(try track(footage.frames, box: footage.box(), robust).map(\.box) == [footage.box()])
    }

    @Test(
        "images and boxes of any size give sound estimates and no box that runs away",
        arguments: [
            (1, 1, Box(x: -2, y: -2, width: 4, height: 4)), (4, 4, Box(x: 0, y: 0, width: 4, height: 4)),
            (200, 2, Box(x: 50, y: -1, width: 40, height: 4)),
            (40, 30, Box(x: -500, y: -500, width: 1000, height: 1000)),
            (40, 30, Box(x: 36, y: 26, width: 30, height: 30)), (40, 30, Box(x: 0, y: 10, width: 4, height: 1e6)),
            (120, 40, Box(x: 50, y: 20, width: 4, height: 4)), (120, 40, Box(x: -15, y: 5, width: 30, height: 30)),
        ])
    func anySize(width: Int, height: Int, box: Box) throws {
        let scene = try SyntheticScene(.init(width: 200, height: 40, frames: 8, seed: 1))
        let frames = (0..<8).map { scene.gray(frame: $0).cropped(x: 0, y: 0, width: width, height: height) }
        for options in [robust, .init(mode: .robust, levels: 6), .init(mode: .robust, illumination: .clahe)] {
            let estimates = try track(frames, box: box, options)
            let isLarge = box.width * box.height > Double(4 * width * height)
            #expect(estimates.allSatisfy { $0.isSound && (isLarge || $0.isBounded(width: width, height: height)) })
        }
    }

    @Test("a target that turns black or white is not tracked any more")
    func vanishes() throws {
        let footage = try Footage(.init(width: 96, height: 80, frames: 1, seed: 8))
        for level in [UInt8(0), 255] {
            let flat = Image.flat(level, width: 96, height: 80)
            let frames = [Image](repeating: footage.frames[0], count: 12) + .init(repeating: flat, count: 8)
            let estimates = try track(frames, box: footage.box(), robust)
            #expect(estimates[12...].allSatisfy { $0.state != .tracked && $0.isSound })
        }
    }
}
