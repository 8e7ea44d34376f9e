import Testing
import Tracking

@Suite("OTB evaluation")
struct EvaluationTests {
    private let truth = """
        73.0,51.0,107.0,87.0
        75.0,47.0,107.0,87.0
        71.0\t44.0\t107.0\t87.0
        68.0 40.0 107.0 87.0
        68.0,38.0,107.0,87.0
        64.0,34.0,107.0,87.0
        60.0, 32.0, 107.0, 87.0
        57.0,30.0,107.0,87.0
        55.0,26.0,107.0,87.0
        53.0,22.0,107.0,87.0
        51.0,25.0,107.0,87.0
        49.0,21.0,107.0,87.0

        """

    private let results = [
        [74.45, 52.77, 125.94, 95.35], [78.54, 49.41, 96.26, 71.4], [73.23, 47.71, 101.9, 73.15],
        [73.89, 41.7, 93.39, 99.79], [75.57, 38.43, 112.05, 85.08], [74.33, 34.78, 118.71, 103.01],
        [67.74, 39.27, 108.68, 93.19], [70.15, 36.39, 126.97, 100.7], [66.17, 30.0, 91.84, 71.87],
        [67.08, 30.0, 88.43, 81.97], [67.18, 30.61, 105.82, 75.73], [68.2, 28.4, 102.9, 88.71],
    ].map { Box(x: $0[0], y: $0[1], width: $0[2], height: $0[3]) }

    @Test("scores agree with an independent scorer's")
    func reference() throws {
        let score = OTBScore(results: results, truth: try GroundTruth.parse(truth))
        // A Python script that shares no code with this one prints: auc 0.690 precision20 0.917 frames 12.
        #expect(abs(score.successAUC - 0.690) < 0.0005)
        #expect(abs(score.precision - 0.917) < 0.0005)
        #expect(score.frames == 12)
    }

    @Test("a perfect result succeeds at every threshold but 1, which nothing is above")
    func perfect() {
        let boxes: [Box?] = results
        let score = OTBScore(results: boxes, truth: boxes)
        #expect(abs(score.successAUC - 20.0 / 21) < 1e-12)
        #expect(score.precision == 1)
        #expect(score.overlaps.allSatisfy { abs($0 - 1) < 1e-12 })
    }

    @Test("thresholds are strict and the radius is not")
    func borders() {
        let truth = Box(x: 0, y: 0, width: 10, height: 10)
        // Overlap exactly 0.5: above 0, 0.05 … 0.45, which are ten of 21 thresholds.
        let half = OTBScore(results: [Box(x: 0, y: 0, width: 10, height: 5)], truth: [truth])
        #expect(half.overlaps == [0.5])
        #expect(abs(half.successAUC - 10.0 / 21) < 1e-12)
        #expect(OTBScore(results: [Box(x: 12, y: 16, width: 10, height: 10)], truth: [truth]).precision == 1)
        #expect(OTBScore(results: [Box(x: 12, y: 16.01, width: 10, height: 10)], truth: [truth]).precision == 0)
        #expect(OTBScore(results: [Box(x: 12, y: 16, width: 10, height: 10)], truth: [truth]).successAUC == 0)
    }

    @Test("the curves are shares of frames over overlap and distance; the area is the success curve's mean")
    func curves() {
        let score = OTBScore(results: results, truth: results)
        #expect(score.successCurve.dropLast().allSatisfy { $0 == 1 } && score.successCurve.last == 0)
        #expect(score.precisionCurve == [Double](repeating: 1, count: 51))
        let truth = Box(x: 0, y: 0, width: 10, height: 10)
        let moved = Box(x: 5, y: 0, width: 10, height: 10)
        let off = OTBScore(results: [truth, moved, nil], truth: [truth, truth, truth])
        let (third, twoThirds) = (1.0 / 3, 2.0 / 3)
        #expect(off.precisionCurve[4] == third)
        #expect(off.precisionCurve[5] == twoThirds)
        #expect(off.precisionCurve[50] == twoThirds)
        // The second box overlaps by a third, which is above the threshold 0.3 and below 0.35.
        #expect(off.successCurve[0] == twoThirds)
        #expect(off.successCurve[6] == twoThirds)
        #expect(off.successCurve[7] == third)
        #expect(abs(off.successAUC - off.successCurve.reduce(0, +) / 21) < 1e-12)
    }

    @Test("pooled runs weigh by frames")
    func pooling() {
        let box = Box(x: 0, y: 0, width: 10, height: 10)
        let good = OTBScore(results: [box, box, box], truth: [box, box, box])
        let bad = OTBScore(results: [nil], truth: [box])
        let pooled = OTBScore(pooling: [good, bad])
        #expect(pooled.frames == 4)
        #expect(pooled.precision == 0.75)
        #expect(abs(pooled.successAUC - 0.75 * good.successAUC) < 1e-12)
    }

    @Test("frames without truth are not scored, frames without a result count as missed")
    func missing() {
        let box = Box(x: 0, y: 0, width: 10, height: 10)
        #expect(OTBScore(results: [box, box, box], truth: [box]).frames == 1)
        #expect(OTBScore(results: [box], truth: [box, box]).frames == 1)
        let score = OTBScore(results: [box, nil, box, box], truth: [box, box, nil, box])
        #expect(score.frames == 3)
        #expect(score.overlaps == [1, 0, 1])
        #expect(abs(score.precision - 2.0 / 3) < 1e-12)
        let empty = OTBScore(results: [], truth: [])
        #expect(empty.successAUC == 0 && empty.precision == 0 && empty.frames == 0)
        #expect(OTBScore(results: [Box(x: .nan, y: 0, width: 1, height: 1)], truth: [box]).successAUC == 0)
    }

    @Test("ground truth may be separated by commas, tabs or spaces, with any line ends")
    func separators() throws {
        let box = Box(x: 1.5, y: -2, width: 30, height: 4)
        let parsed = try GroundTruth.parse("1.5,-2,30,4\r\n1.5\t-2\t30\t4\n  1.5 -2  30 4 \n\n1.5, -2, 30, 4, 1\n")
        #expect(parsed == [box, box, box, box])
        #expect(try GroundTruth.parse("NaN,NaN,NaN,NaN\n1.5,-2,30,4") == [nil, box])
        #expect(try GroundTruth.parse("") == [])
    }

    @Test("a damaged line of ground truth is refused by its number", arguments: ["1,2,3", "1,2,x,4", "a b c d"])
    func damaged(line: String) {
        let error = #expect(throws: TrackingError.self) { try GroundTruth.parse("1,2,3,4\n\(line)\n") }
        #expect(error?.code == .invalidGroundTruth)
        #expect(error?.message.contains("line 2") == true)
    }
}
