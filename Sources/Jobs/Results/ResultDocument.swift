/// A format with more to it than a piece of text for each frame: parts that stand one after the other in the document,
/// while a frame has something for each of them (a track for each target).
protocol ResultDocument: Sendable {
    var partCount: Int { get }

    /// What stands before the first part.
    func begin(_ bytes: inout [UInt8])
    func beginPart(_ part: Int, _ bytes: inout [UInt8])
    /// A frame, whose pieces go to the ends of the parts.
    mutating func append(_ record: FrameRecord, _ parts: inout [[UInt8]])
    /// The result goes on with this frame, which is not wanted any more.
    mutating func goesOn(at frame: Int)
    mutating func endPart(_ part: Int, _ bytes: inout [UInt8])
    /// What stands after the last part.
    func end(_ bytes: inout [UInt8])
}

extension ResultDocument {
    mutating func goesOn(at frame: Int) {}
}
