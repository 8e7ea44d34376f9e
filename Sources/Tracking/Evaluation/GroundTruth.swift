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
