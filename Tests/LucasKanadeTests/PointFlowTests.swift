import Testing

@testable import LucasKanade

@Suite("Point flow")
struct PointFlowTests {
    private func track(
        _ flow: PointFlow = PointFlow(), shift: AffineWarp.Point, levels: Int = 3, x: Double = 61.3, y: Double = 47.8,
        guess: AffineWarp.Point? = nil
    ) -> PointFlowResult {
        flow.track(
            x: x, y: y, from: Scene.pyramid(levels: levels),
            to: Scene.pyramid(levels: levels, motion: .translation(shift.x, shift.y)), guess: guess,
            workspace: AlignmentWorkspace())
    }

    @Test(
        "a shift is found to 0.02 pixels, small or large",
        arguments: [(0.3, -0.4), (2.7, 1.9), (9.5, -7.2), (0.0, 0.0)])
    func shifts(shift: (Double, Double)) {
        let result = track(shift: shift)
        #expect(result.status == .tracked)
        #expect(abs(result.x - 61.3 - shift.0) < 0.02 && abs(result.y - 47.8 - shift.1) < 0.02)
        #expect(result.residual < 0.6 && result.minimumEigenvalue > 1 && result.iterations > 0)
    }

    @Test("a large shift needs the pyramid or a guess")
    func pyramidMatters() {
        let shift = (13.0, -9.0)
        let single = PointFlow(window: 11, levels: 1)
        let lost = track(single, shift: shift)
        let found = track(PointFlow(window: 11, levels: 3), shift: shift)
        #expect(abs(found.x - 61.3 - shift.0) < 0.02 && abs(found.y - 47.8 - shift.1) < 0.02)
        #expect(abs(lost.x - 61.3 - shift.0) > 1 || abs(lost.y - 47.8 - shift.1) > 1)
        let guessed = track(single, shift: shift, guess: (73, 40))
        #expect(abs(guessed.x - 61.3 - shift.0) < 0.02 && abs(guessed.y - 47.8 - shift.1) < 0.02)
    }

    @Test("a step of a coarse level is in level-0 pixels", arguments: [0, 1, 2])
    func coarseSteps(level: Int) {
        let workspace = AlignmentWorkspace()
        let window = FlowWindow(
            side: 15, x: 61.3, y: 47.8, pyramid: Scene.pyramid(levels: 3), level: level, workspace: workspace)
        let moved = Scene.pyramid(levels: 3, motion: .translation(1.2, -0.9))
        let step = window.step(moved, x: 61.3, y: 47.8)
        #expect(abs(step.x - 1.2) < 0.15 && abs(step.y + 0.9) < 0.15)
    }

    @Test("windows of any size, odd or even, small or at the border, work", arguments: [5, 8, 15, 16, 31])
    func windows(side: Int) {
        for (x, y) in [(61.3, 47.8), (4.2, 50), (114.9, 95.1)] {
            let result = track(PointFlow(window: side), shift: (0.6, 0.4), x: x, y: y)
            #expect(result.status == .tracked)
            // At the border the repeated pixels hold the window back.
            let limit = x == 61.3 ? 0.05 : 0.5
            #expect(abs(result.x - x - 0.6) < limit && abs(result.y - y - 0.4) < limit)
        }
    }

    @Test("a blank window and a straight edge are degenerate, not NaN")
    func degenerate() {
        let blank = Plane(width: 80, height: 80, pixels: [Float](repeating: 50, count: 6400))
        for plane in [blank, blank.painting { x, _, _ in x < 40 ? 20 : 200 }] {
            let pyramid = Pyramid(plane, levels: 3)
            let result = PointFlow().track(x: 40, y: 40, from: pyramid, to: pyramid, workspace: AlignmentWorkspace())
            #expect(result.status == .degenerate && result.x == 40 && result.y == 40)
            #expect(result.minimumEigenvalue >= -1e-3 && result.minimumEigenvalue < 0.25)
        }
    }

    @Test(
        "points outside, and points that leave, are out of bounds",
        arguments: [(-3.0, 40.0), (60, 120), (.nan, 40), (60, .infinity)])
    func outside(point: (Double, Double)) {
        #expect(track(shift: (0, 0), x: point.0, y: point.1).status == .outOfBounds)
        #expect(track(shift: (0, 0), guess: point).status == .outOfBounds)
    }

    @Test("a region gives the same bits as the whole image")
    func region() {
        let (first, second) = (Scene.plane().image, Scene.plane(motion: .translation(1.7, -1.1)).image)
        let options = PyramidOptions(levels: 2)
        let region = PixelRegion(x: 20, y: 10, width: 84, height: 78)
        let flow = PointFlow(levels: 2)
        let run = { (region: PixelRegion?) in
            flow.track(
                x: 61.25, y: 47.5, from: Pyramid(first, region: region, options: options),
                to: Pyramid(second, region: region, options: options), workspace: AlignmentWorkspace())
        }
        #expect(run(region) == run(nil))
    }

    @Test("there and back ends where it began, unless what was seen is covered")
    func forwardBackward() {
        let (first, second) = (Scene.plane(), Scene.plane(motion: .translation(2.4, -1.3)))
        let flow = PointFlow(levels: 2)
        let good = flow.trackForwardBackward(
            x: 61.3, y: 47.8, from: Pyramid(first, levels: 2), to: Pyramid(second, levels: 2),
            workspace: AlignmentWorkspace())
        #expect(good.error < 0.02 && good.forward.status == .tracked)
        let covered = second.painting { x, y, old in
            abs(x - 63) < 22 && abs(y - 46) < 22 ? Float((x * 7 + y * 13) % 64) : old
        }
        let bad = flow.trackForwardBackward(
            x: 61.3, y: 47.8, from: Pyramid(first, levels: 2), to: Pyramid(covered, levels: 2),
            workspace: AlignmentWorkspace())
        #expect(bad.error > 0.5)
        let lost = flow.trackForwardBackward(
            x: -10, y: 0, from: Pyramid(first, levels: 2), to: Pyramid(second, levels: 2),
            workspace: AlignmentWorkspace())
        #expect(lost.error == .infinity && lost.forward.status == .outOfBounds)
    }
}
