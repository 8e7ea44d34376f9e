import Foundation
import LucasKanade
import Testing
import Tracking

extension Footage {
    fileprivate func truth(_ frame: Int) -> AffineMap { scene.truth(frame: frame)[0].affine }
}

@Suite("Points tracker")
struct PointsTrackerTests {
    private static let points = TrackerOptions(mode: .points)

    private func footage(seed: UInt64 = 1, frames: Int = 60, noise: Double = 0, occluder: Bool = false) throws
        -> Footage
    {
        try Footage(
            .init(
                width: 240, height: 160, frames: frames, seed: seed, targetWidth: 70, targetHeight: 60, speed: 1,
                noise: noise, occluder: occluder))
    }

    /// Points on the target, away from its edge.
    private func inner(_ box: Box) -> [Point] {
        (0..<25).map {
            Point(
                x: box.x + box.width * (0.3 + 0.1 * Double($0 % 5)),
                y: box.y + box.height * (0.3 + 0.1 * Double($0 / 5)))
        }
    }

    /// A smooth pattern, moved.
    private func pattern(_ dx: Double, _ dy: Double) -> Image { pattern { _ in (dx, dy) } }

    /// - Parameter shift: how far each row is moved.
    private func pattern(_ shift: (_ row: Int) -> (dx: Double, dy: Double)) -> Image {
        let pixels = (0..<200 * 150).map { number -> UInt8 in
            let (dx, dy) = shift(number / 200)
            let (x, y) = (Double(number % 200) - dx, Double(number / 200) - dy)
            let waves = sin(0.31 * x + 0.12 * y) + sin(0.09 * x - 0.27 * y + 1) + cos(0.21 * x + 0.33 * y)
            return UInt8((128 + 38 * waves).rounded())
        }
        return Image(width: 200, height: 150, pixels: pixels)
    }

    @Test(
        "each point's displacement is the true one to 0.05 px",
        arguments: [(0.0, 0.0), (0.37, -0.81), (2.5, 1.25), (-6.4, 5.7)])
    func displacement(shift: (x: Double, y: Double)) throws {
        let points = (0..<80).map { Point(x: 40.3 + 12 * Double($0 % 10), y: 40.8 + 9 * Double($0 / 10)) }
        let estimates = try track(
            [pattern(0, 0), pattern(shift.x, shift.y)], [TargetRequest(id: "a", points: points)], Self.points)
        let found = try #require(estimates[1][0]?.points)
        #expect(found.count == points.count)
        for (start, point) in zip(points, found) {
            #expect(point.state == .tracked)
            #expect(abs(point.dx - shift.x) < 0.05 && abs(point.dy - shift.y) < 0.05)
            #expect(abs(start.x + point.dx - point.position.x) < 1e-9)
            #expect(abs(start.y + point.dy - point.position.y) < 1e-9)
            #expect(try #require(point.forwardBackwardError) < 0.05)
        }
    }

    @Test("points on a target that turns and grows go where it takes them", arguments: 1...4 as ClosedRange<UInt64>)
    func turning(seed: UInt64) throws {
        let footage = try footage(seed: seed, frames: 30)
        for frame in [1, 12, 28] {
            let (before, after) = (footage.truth(frame - 1), footage.truth(frame))
            let here = inner(footage.box()).map(before.apply)
            let estimates = try track(
                Array(footage.frames[frame - 1...frame]), [TargetRequest(id: "a", points: here)], Self.points)
            let found = try #require(estimates[1][0]?.points)
            let motion = after.composed(with: try #require(before.inverse))
            let errors = zip(here, found).map { motion.apply($0).distance(to: $1.position) }.sorted()
            // A window that is sheared has no single displacement, so that a few are a little off.
            #expect(errors[errors.count / 2] < 0.03 && errors[errors.count - 1] < 0.1)
        }
    }

    @Test("a grid's box follows the target without drift in scale", arguments: 1...4 as ClosedRange<UInt64>)
    func box(seed: UInt64) throws {
        let footage = try footage(seed: seed, frames: 120, noise: 2)
        let estimates = try track(footage.frames, box: footage.box(), Self.points)
        for (frame, estimate) in estimates.enumerated() {
            let truth = footage.scene.truth(frame: frame)[0]
            #expect(estimate.state == .tracked && estimate.isSound && estimate.points?.count == 100)
            #expect(estimate.box.intersectionOverUnion(truth.box) > 0.92)
            let scale = (estimate.affine.determinant / truth.affine.determinant).squareRoot()
            #expect(abs(scale - 1) < 0.03)
        }
        #expect(estimates.dropFirst().allSatisfy { $0.confidence > 0.5 && $0.forwardBackwardError ?? 1 < 0.2 })
    }

    @Test("points behind an occluder are lost, and stay so until a keyframe", arguments: 1...4 as ClosedRange<UInt64>)
    func occlusion(seed: UInt64) throws {
        let footage = try footage(seed: seed, noise: 2, occluder: true)
        let visible = footage.frames.indices.map { footage.scene.truth(frame: $0)[0].visible }
        let hidden = try #require(visible.firstIndex { $0 == 0 })
        var request = footage.request()
        request.keyframes = [.init(frame: 55, box: footage.box(frame: 55))]
        let estimates = try track(footage.frames, [request], Self.points).compactMap { $0[0] }
        let tracked = estimates.map { $0.points?.count { $0.state == .tracked } ?? 0 }
        #expect(tracked[1] > 95)
        // One that was carried off by the occluder may still think that it is well.
        #expect(tracked[hidden + 2] <= 5)
        for frame in hidden..<55 { #expect(estimates[frame].state == .lost && estimates[frame].confidence == 0) }
        for frame in 1..<55 { #expect(tracked[frame] <= tracked[frame - 1]) }
        let lost = try #require(estimates[54].points?.first)
        #expect(lost.state == .lost && lost.dx == 0 && lost.dy == 0 && lost.forwardBackwardError == nil)
        #expect(estimates[55].isKeyframe && tracked[55] > 95)
        #expect(estimates[59].state == .tracked)
        #expect(estimates[59].box.intersectionOverUnion(footage.box(frame: 59)) > 0.9)
    }

    @Test(
        "a target whose points agree again is found again, but where it is to stop at its loss",
        arguments: TrackerOptions.OnLost.allCases)
    func stop(_ onLost: TrackerOptions.OnLost) throws {
        let still = pattern(0, 0)
        // Each third goes its own way: no half of the points agrees.
        let torn = pattern { row in (7 * Double(1 - row / 50), 0) }
        let frames = [still, torn, still, still, still]
        var request = TargetRequest(
            id: "a", points: [25.0, 75, 125].flatMap { y in (0..<10).map { Point(x: 46 + 12 * Double($0), y: y) } })
        request.keyframes = [.init(frame: 4, box: Box(x: 40, y: 20, width: 120, height: 110))]
        let estimates = try track(
            frames, [request], TrackerOptions(mode: .points, motion: .translation, onLost: onLost))
        let states = estimates.dropFirst().map { $0[0]?.state }
        let after: TargetEstimate.State = onLost == .stop ? .lost : .tracked
        #expect(states == [.lost, after, after, .tracked])
        let points = try #require(estimates[2][0]?.points)
        #expect(points.contains { $0.state == PointEstimate.State.tracked } == (onLost != .stop))
    }

    /// A still picture whose left border moves to the right over the target.
    private func leaving() throws -> (frames: [Image], box: Box) {
        let picture = try footage(seed: 3, frames: 1)
        let frames = (0..<30).map { picture.frames[0].cropped(x: 4 * $0, y: 0, width: 124, height: 160) }
        return (frames, Box(x: 30, y: 40, width: 40, height: 50))
    }

    @Test("points that leave the frame are out of it, and so is the target")
    func outOfFrame() throws {
        let (frames, box) = try leaving()
        let estimates = try track(frames, box: box, Self.points)
        let last = try #require(estimates.last?.points)
        // At the edge the repeated pixels may hold a point until it is lost.
        #expect(last.allSatisfy { $0.state != .tracked })
        #expect(last.count { $0.state == .outOfFrame } > 50)
        #expect(estimates.last?.state == .outOfFrame)
        #expect(estimates[5].state == .tracked && abs(estimates[5].box.x - 10) < 0.1)
        #expect(estimates.allSatisfy { $0.isSound })
    }

    @Test("a frame around it changes nothing: only the points' surroundings are looked at")
    func surroundings() throws {
        let footage = try footage(frames: 6)
        let large = footage.frames.map {
            $0.embedded(inWidth: 1240, height: 960, x: 512, y: 512) { x, y in UInt8((x ^ y) & 255) }
        }
        let alone = try track(footage.frames, box: footage.box(), Self.points)
        var box = footage.box()
        (box.x, box.y) = (box.x + 512, box.y + 512)
        let inside = try track(large, box: box, Self.points)
        for (a, b) in zip(alone, inside) {
            #expect(abs(a.box.x + 512 - b.box.x) < 0.05 && abs(a.box.width - b.box.width) < 0.05)
        }
    }

    @Test("the same frames give the same points, whatever other targets there are")
    func determinism() throws {
        let footage = try footage(seed: 2, frames: 10, noise: 3)
        let box = footage.box()
        let first = TargetRequest(id: "a", box: box)
        let second = TargetRequest(id: "b", points: inner(box).reversed())
        let together = try track(footage.frames, [first, second], Self.points)
        #expect(try track(footage.frames, [first, second], Self.points) == together)
        #expect(try track(footage.frames, [second], Self.points).map { $0[0] } == together.map { $0[1] })
        #expect(try track(footage.frames, [first], Self.points).map { $0[0] } == together.map { $0[0] })
    }

    @Test("a box is derived from points, and a keyframe's box moves them along")
    func derivedBox() throws {
        let points = [Point(x: 40, y: 30), Point(x: 60, y: 30), Point(x: 60, y: 80)]
        let request = TargetRequest(
            id: "a", points: points, keyframes: [.init(frame: 2, box: Box(x: 50, y: 40, width: 40, height: 50))])
        #expect(request.box == Box(x: 40, y: 30, width: 20, height: 50))
        #expect(TargetRequest(id: "a", points: [Point(x: 7, y: 9)]).box == Box(x: 5, y: 7, width: 4, height: 4))
        let estimates = try track(footage(frames: 3).frames, [request], Self.points).compactMap { $0[0] }
        #expect(estimates[0].points?.map(\.position) == points)
        #expect(
            estimates[2].points?.map(\.position) == [Point(x: 50, y: 40), Point(x: 90, y: 40), Point(x: 90, y: 90)])
        let other = try track(footage(frames: 2).frames, box: request.box)
        #expect(other.allSatisfy { $0.points == nil && $0.forwardBackwardError == nil && $0.peakRatio == nil })
    }

    @Test("what cannot be followed is lost at once, without a number that is none")
    func badInput() throws {
        for box in [
            Box(x: 10, y: 10, width: 4, height: 4), Box(x: -20, y: -20, width: 30, height: 30),
            Box(x: -50, y: -50, width: 400, height: 300),
        ] {
            let blank = try track(.init(repeating: .flat(80, width: 120, height: 90), count: 3), box: box, Self.points)
            #expect(blank.allSatisfy { $0.isSound })
            #expect(
                blank.dropFirst().allSatisfy { $0.state != .tracked && $0.box.intersectionOverUnion(box) > 0.999 })
            #expect(blank[2].points?.contains { $0.state == .tracked } == false)
            let frames = Array(try footage(frames: 2).frames) + [.flat(0, width: 240, height: 160)]
            let cut = try track(frames, box: box, Self.points)
            #expect(cut.allSatisfy { $0.isSound } && cut[2].state != .tracked)
        }
        let one = try track(
            footage(frames: 5).frames, [TargetRequest(id: "a", points: inner(footage(frames: 1).box()).suffix(1))],
            Self.points)
        #expect(one.allSatisfy { $0[0]?.state == .tracked && $0[0]?.isSound == true })
    }

    @Test(
        "points that cannot be are refused with their places",
        arguments: [
            (Point(x: .nan, y: 3), TrackingError.Code.invalidPoint), (Point(x: 3, y: -.infinity), .invalidPoint),
            (Point(x: 1e7, y: 3), .invalidPoint), (Point(x: 64, y: 3), .pointOutsideFrame),
            (Point(x: 3, y: -0.5), .pointOutsideFrame),
        ])
    func refusals(_ point: Point, _ code: TrackingError.Code) throws {
        let box = Box(x: 5, y: 5, width: 20, height: 20)
        let request = TargetRequest(id: "a", box: box, points: [Point(x: 9, y: 9), point])
        let error = try #require(throws: TrackingError.self) { try track([.flat(9)], [request], Self.points) }
        #expect(error.code == code && error.target == 0 && error.point == 1)
    }

    @Test("points are refused in other modes, and where there are too many")
    func refusedModes() throws {
        let request = TargetRequest(id: "a", points: [Point(x: 9, y: 9)])
        let mode = try #require(throws: TrackingError.self) {
            try TrackingSession(targets: [request], options: .init(mode: .template))
        }
        #expect(mode.code == .invalidPoint && mode.target == 0)
        let many = TargetRequest(
            id: "a", points: .init(repeating: Point(x: 9, y: 9), count: TargetRequest.mostPoints + 1))
        let count = try #require(throws: TrackingError.self) {
            try TrackingSession(targets: [many], options: Self.points)
        }
        #expect(count.code == .invalidPoint)
        var options = Self.points
        options.points.window = 2
        #expect(throws: TrackingError.self) { try options.validate() }
    }
}
