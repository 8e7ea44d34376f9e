import LucasKanade

/// A frame as every target of a session sees it: its light is corrected already.
struct PreparedFrame {
    /// The picture that is tracked on.
    let gray: Image
    /// The frame's colours where they were decoded, as they came.
    let color: Image?
    /// Where buffers are borrowed from; nothing in it carries over from one call to the next.
    let workspace: AlignmentWorkspace

    var bounds: Box { Box(x: 0, y: 0, width: Double(gray.width), height: Double(gray.height)) }

    /// Whether a point lies in the frame.
    func contains(_ point: Point) -> Bool { bounds.contains(point) }
}

/// Follows one target from the frame in which its box was drawn. One implementation for each ``TrackerOptions/Mode``.
///
/// A tracker is a value: it holds all that it knows, looks at nothing else than the frames it is given, and so neither
/// depends on other targets nor on how often it was copied.
protocol TargetTracker: Sendable {
    /// Learns the target. The box overlaps the frame and is not smaller than ``TargetRequest/smallestSide``.
    init(box: Box, in frame: PreparedFrame, options: TrackerOptions)

    /// Finds the target in the next frame.
    mutating func track(_ frame: PreparedFrame) -> TargetEstimate

    /// The target's points in the last frame; `nil` in a mode that follows none.
    var pointEstimates: [PointEstimate]? { get }
}

extension TargetTracker {
    public var pointEstimates: [PointEstimate]? { nil }
}

extension TrackerOptions {
    /// A tracker of the mode that was chosen.
    ///
    /// - Parameter points: for ``Mode/points``.
    func makeTracker(box: Box, points: [Point], in frame: PreparedFrame) -> any TargetTracker {
        switch mode {
        case .robust: RobustTracker(box: box, in: frame, options: self)
        case .template: TemplateTracker(box: box, in: frame, options: self)
        case .points: PointsTracker(box: box, points: points, in: frame, options: self)
        }
    }
}
