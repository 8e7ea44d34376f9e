/// Boxes on one picture, given without a job: the array `boxes`, or `roi` fields.
public enum BoxList {
    /// Reads the boxes, and checks everything that they alone can tell.
    ///
    /// - Parameters:
    ///   - boxes: an array of `[x, y, width, height]`.
    ///   - rois: `x,y,width,height` each.
    /// - Throws: every problem there is, each with its place.
    public static func read(_ boxes: JSONValue?, rois: [String]) throws(SpecErrors) -> [PixelBox] {
        let problems = SpecProblems()
        let found = boxes.map { read($0, rois, problems) } ?? read(rois, problems)
        try problems.check()
        return found
    }

    private static let count = SpecLimits.targets
    private static let pointer = JSONPointer.root.appending("boxes")
    private static let roiPointer = JSONPointer.root.appending("roi")

    private static func read(_ value: JSONValue, _ rois: [String], _ problems: SpecProblems) -> [PixelBox] {
        guard rois.isEmpty else {
            problems.add(roiPointer, "give the boxes either as roi fields or as boxes, not both")
            return []
        }
        guard let elements = value.arrayValue, count.contains(elements.count) else {
            problems.add(
                pointer,
                "must be an array of \(count.lowerBound) to \(count.upperBound) boxes [x, y, width, height] in pixels")
            return []
        }
        return elements.enumerated().compactMap { box($1, pointer.appending($0), problems) }
    }

    private static func read(_ rois: [String], _ problems: SpecProblems) -> [PixelBox] {
        guard count.contains(rois.count) else {
            let what = rois.isEmpty ? "is missing: give" : "came \(rois.count) times: give"
            problems.add(
                rois.isEmpty ? pointer : roiPointer,
                "\(what) \(count.lowerBound) to \(count.upperBound) boxes, as boxes or as roi fields")
            return []
        }
        return rois.compactMap { text in
            guard let value = BoxText.json(text) else {
                problems.add(roiPointer, BoxText.fault)
                return nil
            }
            return box(value, roiPointer, problems)
        }
    }

    private static func box(_ value: JSONValue, _ pointer: JSONPointer, _ problems: SpecProblems) -> PixelBox? {
        switch TargetReader.box(value) {
        case .success(let box): return box
        case .failure(let fault):
            problems.add(pointer, fault.detail)
            return nil
        }
    }
}

/// A box in a form field: `x,y,width,height`.
enum BoxText {
    static let fault = "must be four finite numbers x,y,width,height in pixels, such as 70,51,107,87"

    /// An array of four numbers; `nil` where the text has other than four.
    static func json(_ text: String) -> JSONValue? {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            try? JSONValue(parsing: part.utf8).doubleValue
        }
        guard numbers.count == 4, !numbers.contains(nil) else { return nil }
        return .array(numbers.map { .number($0 ?? 0) })
    }
}
