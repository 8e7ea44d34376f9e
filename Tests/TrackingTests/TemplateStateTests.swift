import LucasKanade
import Testing
import Tracking

@Suite("Template tracker: states")
struct TemplateStateTests {
    @Test(
        "a target behind an occluder coasts, and is tracked again when it has come out",
        arguments: 1...8 as ClosedRange<UInt64>)
    func occlusion(seed: UInt64) throws {
        let footage = try Footage(
            .init(
                width: 180, height: 90, frames: 60, seed: seed, targetWidth: 30, targetHeight: 28, speed: 0.5,
                noise: 3, occluder: true))
        let hidden = footage.frames.indices.filter { footage.scene.truth(frame: $0)[0].visible == 0 }
        #expect(!hidden.isEmpty)
        let estimates = try track(footage.frames, box: footage.box())
        for frame in hidden {
            #expect(estimates[frame].state != .tracked)
            #expect(estimates[frame].confidence <= 0.25)
        }
        for frame in 55..<60 {
            #expect(estimates[frame].state == .tracked)
            #expect(estimates[frame].box.intersectionOverUnion(footage.box(frame: frame)) > 0.8)
        }
        #expect(estimates.allSatisfy { $0.isSound })
    }

    /// A target, then ten empty frames, then the target again 12 px further to the right.
    private func vanishing() throws -> (frames: [Image], box: Box, back: Box) {
        let footage = try Footage(
            .init(width: 200, height: 100, frames: 1, seed: 3, targetWidth: 30, targetHeight: 28))
        let start = footage.frames[0].cropped(x: 12, y: 0, width: 188, height: 100)
        let end = footage.frames[0].cropped(x: 0, y: 0, width: 188, height: 100)
        let empty = Image.flat(95, width: 188, height: 100)
        let back = footage.box()
        var box = back
        box.x -= 12
        return ([start] + .init(repeating: empty, count: 10) + .init(repeating: end, count: 4), box, back)
    }

    @Test("a target that is not found coasts first and then is lost")
    func coastingThenLost() throws {
        let (frames, box, _) = try vanishing()
        let states = try track(frames, box: box)[1...10].map(\.state)
        let coasting = TemplateTrackerParameters().coastingFrames
        #expect(states == .init(repeating: .coasting, count: coasting) + .init(repeating: .lost, count: 10 - coasting))
    }

    @Test("a lost target is found elsewhere by search")
    func searchFinds() throws {
        let (frames, box, back) = try vanishing()
        let last = try #require(try track(frames, box: box, .init(mode: .template, onLost: .search)).last)
        #expect(last.state == .tracked)
        #expect(last.box.intersectionOverUnion(back) > 0.9)
    }

    @Test("hold tries the last place only: what comes back there is tracked")
    func holdFindsInPlace() throws {
        let (frames, box, _) = try vanishing()
        let returning = Array(frames[0...10]) + [frames[0], frames[0]]
        let estimates = try track(returning, box: box, .init(mode: .template, onLost: .hold))
        #expect(estimates[10].state == .lost)
        #expect(estimates[12].state == .tracked)
        #expect(estimates[10].box == box)
    }

    @Test("stop gives a lost target up, without further work, until the next keyframe")
    func stopGivesUp() throws {
        let (frames, box, _) = try vanishing()
        let returning = Array(frames[0...10]) + .init(repeating: frames[0], count: 4)
        let request = TargetRequest(id: "a", box: box, keyframes: [.init(frame: 13, box: box)])
        let estimates = try track(returning, [request], .init(mode: .template, onLost: .stop)).compactMap { $0[0] }
        for frame in 11...12 {
            #expect(estimates[frame].state == .lost)
            #expect(estimates[frame].iterations == 0)
        }
        #expect(estimates[13].isKeyframe)
        #expect(estimates[14].state == .tracked)
    }

    @Test("a target whose centre leaves the frame is out of it, and tracked again when it comes back")
    func leavingTheFrame() throws {
        let inner = try Footage(
            .init(width: 90, height: 90, frames: 1, seed: 22, targetWidth: 32, targetHeight: 30))
        let ground = try Footage(.init(width: 240, height: 90, frames: 1, seed: 5, targetWidth: 5, targetHeight: 5))
        let wide = inner.frames[0].embedded(inWidth: 240, height: 90, x: 10, y: 0) { ground.frames[0][$0, $1] }
        var box = inner.box()
        box.x += 10
        // A window that moves to the right until the target is outside on its left, stays there, and comes back.
        let offsets = Array(stride(from: 0, to: 92, by: 4)) + [92, 92, 92] + stride(from: 88, through: 20, by: -4)
        let frames = offsets.map { wide.cropped(x: $0, y: 0, width: 120, height: 90) }
        let estimates = try track(frames, box: box)
        let away = try #require(offsets.firstIndex(of: 92))
        for frame in away..<away + 3 {
            #expect(estimates[frame].state == .outOfFrame)
            #expect(estimates[frame].box.center.x < 0)
        }
        let last = try #require(estimates.last)
        #expect(last.state == .tracked)
        var expected = box
        expected.x -= 20
        #expect(last.box.intersectionOverUnion(expected) > 0.8)
        #expect(estimates.allSatisfy { $0.isSound })
    }
}

@Suite("Template tracker: pictures without a target")
struct TemplateDegenerateTests {
    @Test("flat and black frames give sound estimates that are never tracked", arguments: [UInt8(0), 90, 255])
    func flat(level: UInt8) throws {
        for illumination in TrackerOptions.Illumination.allCases {
            let frames = [Image](repeating: .flat(level), count: 9)
            let estimates = try track(
                frames, box: Box(x: 20, y: 10, width: 20, height: 16),
                .init(mode: .template, illumination: illumination))
            #expect(estimates.allSatisfy { $0.isSound })
            #expect(estimates[0].state == .tracked && estimates[0].isKeyframe)
            #expect(estimates[1...].allSatisfy { $0.state != .tracked && $0.confidence == 0 })
            #expect(estimates.allSatisfy { $0.box == estimates[0].box })
        }
    }

    @Test("a stream of one frame gives its box")
    func oneFrame() throws {
        let footage = try Footage(.init(width: 64, height: 48, frames: 1))
        let estimates = try track(footage.frames, box: footage.box())
        #expect(estimates.count == 1)
        #expect(estimates[0].box == footage.box() && estimates[0].confidence == 1)
    }

    @Test(
        "images and boxes of any size give sound estimates",
        arguments: [
            (1, 1, Box(x: -2, y: -2, width: 4, height: 4)), (4, 4, Box(x: 0, y: 0, width: 4, height: 4)),
            (200, 2, Box(x: 50, y: -1, width: 40, height: 4)),
            (40, 30, Box(x: -500, y: -500, width: 1000, height: 1000)),
            (40, 30, Box(x: 36, y: 26, width: 30, height: 30)), (40, 30, Box(x: 0, y: 10, width: 4, height: 1e6)),
        ])
    func anySize(width: Int, height: Int, box: Box) throws {
        let scene = try SyntheticScene(.init(width: 200, height: 40, frames: 5, seed: 1))
        for options in [
            TrackerOptions.template, .init(mode: .template, levels: 6),
            .init(mode: .template, motion: .translation, illumination: .clahe),
        ] {
            let frames = (0..<5).map { scene.gray(frame: $0).cropped(x: 0, y: 0, width: width, height: height) }
            let estimates = try track(frames, box: box, options)
            #expect(estimates.allSatisfy { $0.isSound })
        }
    }

    @Test("a target that turns black, white or to noise is not tracked any more")
    func vanishesIntoNothing() throws {
        let footage = try Footage(.init(width: 96, height: 80, frames: 1, seed: 8))
        let noise = try Footage(.init(width: 96, height: 80, frames: 1, seed: 77, noise: 60)).frames[0]
        for image in [Image.flat(0, width: 96, height: 80), .flat(255, width: 96, height: 80), noise] {
            let estimates = try track(footage.frames + [image, image], box: footage.box())
            #expect(estimates[1...].allSatisfy { $0.state != .tracked && $0.isSound })
        }
    }
}
