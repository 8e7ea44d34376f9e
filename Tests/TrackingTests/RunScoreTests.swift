import Testing
import Tracking

/// One frame of a made-up run over a truth that stands still.
private enum Frame {
    /// The overlap, and what the tracker said.
    case overlap(Double, TargetEstimate.State = .tracked, confidence: Double = 0.5)
    case withoutTruth
    case withoutEstimate
}

private let truth = Box(x: 10, y: 10, width: 100, height: 50)

private func run(_ frames: [Frame]) -> (estimates: [TargetEstimate?], truth: [Box?]) {
    func estimate(_ overlap: Double, _ state: TargetEstimate.State, _ confidence: Double) -> TargetEstimate {
        // A box inside the truth that covers this share of it.
        let box = Box(x: truth.x, y: truth.y, width: truth.width * overlap, height: truth.height)
        return TargetEstimate(
            box: box, quad: box.quad, affine: .identity, state: state, confidence: confidence, zncc: 1, residual: 0,
            iterations: 1, isKeyframe: false)
    }
    var estimates: [TargetEstimate?] = []
    var truths: [Box?] = []
    for frame in frames {
        switch frame {
        case .overlap(let overlap, let state, let confidence): estimates.append(estimate(overlap, state, confidence))
        case .withoutTruth: estimates.append(estimate(0, .tracked, 0.5))
        case .withoutEstimate: estimates.append(nil)
        }
        if case .withoutTruth = frame { truths.append(nil) } else { truths.append(truth) }
    }
    return (estimates, truths)
}

@Suite("Losing and finding again, scored")
struct RefindingTests {
    private func score(_ frames: [Frame]) -> RefindingScore {
        let run = run(frames)
        return RefindingScore(estimates: run.estimates, truth: run.truth)
    }

    private func missed(_ count: Int) -> [Frame] { [Frame](repeating: .overlap(0.1), count: count) }

    @Test("five misses in a row are a loss, four are none")
    func length() {
        #expect(score([.overlap(1)] + missed(4) + [.overlap(1)]) == RefindingScore(lost: 0, refound: 0))
        #expect(score([.overlap(1)] + missed(5) + [.overlap(1)]) == RefindingScore(lost: 1, refound: 1))
        #expect(score(missed(4) + [.overlap(0.11)] + missed(4)).lost == 0, "the row was interrupted")
    }

    @Test("a frame reported lost is a loss at once, wherever its box is")
    func reported() {
        #expect(score([.overlap(1), .overlap(0.9, .lost)]) == RefindingScore(lost: 1, refound: 0))
        #expect(score([.overlap(1), .overlap(0.9, .coasting)]).lost == 0)
    }

    @Test("only a frame reported tracked with an overlap above a half ends a loss")
    func end() {
        #expect(score(missed(5) + [.overlap(0.5)]).refound == 0)
        #expect(score(missed(5) + [.overlap(0.9, .coasting), .overlap(0.9, .lost)]).refound == 0)
        let twice = score(missed(7) + [.overlap(0.4), .overlap(0.6)] + missed(9) + [.overlap(0.51), .overlap(1)])
        #expect(twice == RefindingScore(lost: 2, refound: 2))
    }

    @Test("frames without truth do not count, frames without an estimate are misses")
    func gaps() {
        let frames = missed(3) + [Frame](repeating: .withoutTruth, count: 9) + missed(1)
        #expect(score(frames).lost == 0)
        #expect(score(frames + missed(1)).lost == 1)
        #expect(score([Frame](repeating: .withoutEstimate, count: 5)).lost == 1)
    }

    @Test("the share is that of all losses, and there is none without a loss")
    func share() {
        #expect(score([.overlap(1)]).share == nil)
        #expect((RefindingScore(lost: 1, refound: 1) + RefindingScore(lost: 3, refound: 0)).share == 0.25)
    }
}

@Suite("What a tracker says about itself, scored")
struct ReliabilityTests {
    private func score(_ frames: [Frame]) -> ReliabilityScore {
        let run = run(frames)
        return ReliabilityScore(estimates: run.estimates, truth: run.truth)
    }

    @Test("the calibration error is the mean distance of confidence and accuracy over the bins")
    func calibration() {
        // Confidence 0.95 and half right; confidence 0.2 and never right: (2 · 0.45 + 1 · 0.2) / 3.
        let mixed = score([
            .overlap(0.5, confidence: 0.95), .overlap(0.49, confidence: 0.95), .overlap(0, confidence: 0.2),
        ])
        #expect(abs(mixed.calibrationError - 1.1 / 3) < 1e-12)
        // Over the whole range these two would cancel out; each has a bin of its own.
        let wrongBothWays = score([.overlap(1, confidence: 0.1), .overlap(0, confidence: 0.9)])
        #expect(abs(wrongBothWays.calibrationError - 0.9) < 1e-12)
        #expect(score([.overlap(1, confidence: 1), .overlap(0, confidence: 0)]).calibrationError == 0)
    }

    @Test("overconfidence is the worst shortfall of the share of correct frames among the confident ones")
    func overconfidence() {
        func frames(_ count: Int, overlap: Double, confidence: Double) -> [Frame] {
            .init(repeating: .overlap(overlap, confidence: confidence), count: count)
        }
        // Of 30 frames at 0.95 20 are right: 0.9 − 2/3; with the 30 at 0.75, all wrong, 0.7 − 1/3.
        let confident = frames(20, overlap: 1, confidence: 0.95) + frames(10, overlap: 0, confidence: 0.95)
        #expect(abs(score(confident).overconfidence - (0.9 - 2.0 / 3)) < 1e-12)
        let more = confident + frames(30, overlap: 0, confidence: 0.75)
        #expect(abs(score(more).overconfidence - (0.7 - 1.0 / 3)) < 1e-12)
        #expect(score(frames(19, overlap: 0, confidence: 0.95)).overconfidence == 0)
        #expect(score(frames(40, overlap: 1, confidence: 0.3)).overconfidence == 0)
    }

    @Test("bins are a tenth wide, and 1 belongs to the last")
    func bins() {
        let bins = score([0, 0.0999, 0.1, 0.95, 1].map { .overlap(1, confidence: $0) }).bins
        #expect(bins.map(\.frames) == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2])
        #expect(bins[9].accuracy == 1)
        #expect(abs(bins[9].confidence - 0.975) < 1e-12)
    }

    @Test("a confidence that is out of range or no number does not trap", arguments: [-1, 2, Double.nan, .infinity])
    func damaged(confidence: Double) {
        #expect(score([.overlap(1, confidence: confidence)]).frames == 1)
    }

    @Test("of the frames reported tracked, those with an overlap above 0.3 are held")
    func held() {
        let some = score([.overlap(0.31), .overlap(0.3), .overlap(0, .coasting), .overlap(0, .lost)])
        #expect(some.tracked == 2 && some.held == 1)
        #expect(some.heldShare == 0.5)
        #expect(score([.overlap(0, .lost)]).heldShare == nil)
    }

    @Test("given boxes, and frames without truth or estimate, are not scored")
    func leftOut() {
        #expect(score([.withoutTruth, .withoutEstimate]).frames == 0)
        #expect(score([]).calibrationError == 0)
        let frame = run([.overlap(1)])
        let given = frame.estimates.map { estimate in
            var estimate = estimate
            estimate?.isKeyframe = true
            return estimate
        }
        #expect(ReliabilityScore(estimates: given, truth: frame.truth).frames == 0)
    }

    @Test("two runs together score as one run over the frames of both")
    func sum() {
        let (a, b): ([Frame], [Frame]) = (
            [.overlap(0.9, confidence: 0.81), .overlap(0.2, confidence: 0.85)],
            [.overlap(0.6, .lost, confidence: 0.33), .overlap(0.7, confidence: 0.89)]
        )
        let (together, sum) = (score(a + b), score(a) + score(b))
        #expect(together.bins.map(\.frames) == sum.bins.map(\.frames))
        #expect(abs(together.calibrationError - sum.calibrationError) < 1e-12)
        #expect(together.tracked == sum.tracked && together.held == sum.held)
    }
}

@Suite("Times of frames")
struct FrameTimesTests {
    @Test("percentiles are nearest ranks")
    func percentiles() {
        let times = FrameTimes(seconds: (1...200).reversed().map { Double($0) })
        #expect(times.percentile(50) == 100)
        #expect(times.percentile(99) == 198)
        #expect(times.percentile(100) == 200)
        #expect(times.percentile(0) == 1)
        #expect(FrameTimes(seconds: [3]).percentile(99) == 3)
        #expect(FrameTimes().percentile(99) == 0)
    }

    @Test("frames a second are those of the whole time")
    func rate() {
        #expect(FrameTimes(seconds: [0.25, 0.75]).framesPerSecond == 2)
        #expect(FrameTimes().framesPerSecond == 0)
    }
}
