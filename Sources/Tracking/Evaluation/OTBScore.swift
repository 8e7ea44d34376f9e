/// The scores of one target in an OTB one-pass evaluation (Wu, Lim, Yang, "Online object tracking: a benchmark", CVPR
/// 2013).
public struct OTBScore: Hashable, Sendable {
    /// Mean share of frames whose overlap is above a threshold, over the thresholds 0, 0.05 … 1; 0 … 1.
    public var successAUC: Double
    /// Share of frames whose centre is at most 20 px from the truth; 0 … 1.
    public var precision: Double
    /// Intersection over union of each scored frame.
    public var overlaps: [Double]

    /// How many frames were scored.
    public var frames: Int { overlaps.count }

    /// Overlap thresholds; a frame succeeds where it is strictly above.
    public static let thresholds: [Double] = (0...20).map { Double($0) / 20 }
    /// In pixels.
    public static let precisionRadius = 20.0

    /// Scores boxes against the truth, frame by frame from the first.
    ///
    /// Frames beyond the shorter of the two lists, and frames whose truth is `nil`, are not scored. A missing result
    /// (`nil`) overlaps nothing. Without a scored frame all scores are 0.
    public init(results: [Box?], truth: [Box?]) {
        var overlaps: [Double] = []
        var near = 0
        for (result, truth) in zip(results, truth) {
            guard let truth else { continue }
            guard let result, result.isFinite else {
                overlaps.append(0)
                continue
            }
            overlaps.append(result.intersectionOverUnion(truth))
            if result.center.distance(to: truth.center) <= Self.precisionRadius { near += 1 }
        }
        self.overlaps = overlaps
        let count = Double(max(overlaps.count, 1))
        precision = Double(near) / count
        let successes = Self.thresholds.map { threshold in
            Double(overlaps.count { $0 > threshold }) / count
        }
        successAUC = successes.reduce(0, +) / Double(Self.thresholds.count)
    }
}

/// Ground truth as OTB's files hold it: one `x,y,w,h` a line, from the first frame on.
public enum GroundTruth {
    /// Reads the lines of a file. Numbers are separated by commas, tabs or spaces; blank lines are skipped; of more than
    /// four numbers the first four count. A line of `NaN`s says that the target is not there: `nil`.
    ///
    /// There may be fewer lines than frames: the last frames are then not scored.
    ///
    /// - Throws: ``TrackingError/Code/invalidGroundTruth`` naming the line.
    public static func parse(_ text: String) throws(TrackingError) -> [Box?] {
        var boxes: [Box?] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let fields = line.split { $0 == "," || $0.isWhitespace }
            if fields.isEmpty { continue }
            let numbers = fields.prefix(4).compactMap { Double($0) }
            guard numbers.count == 4 else {
                throw TrackingError(
                    .invalidGroundTruth,
                    "line \(index + 1) of the ground truth is \"\(line.prefix(60))\"; it must be x,y,width,height")
            }
            let box = Box(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3])
            boxes.append(box.isFinite ? box : nil)
        }
        return boxes
    }
}
