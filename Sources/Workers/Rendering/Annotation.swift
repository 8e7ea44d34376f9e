import Jobs
import Media

/// What is drawn over each frame of an annotated video: the targets' outlines, names, and where they came from.
public struct Annotation: Sendable {
    /// Frames that a trail goes back.
    private static let trailLength = 30

    private let numbers: [String: Int]
    private var trails: [String: [SIMD2<Double>]] = [:]

    public init(spec: JobSpec) {
        numbers = Dictionary(zip(spec.targets.map(\.id), 0...), uniquingKeysWith: { first, _ in first })
    }

    /// Call it for every record, in order. A target that has left the picture is not drawn.
    public mutating func overlays(for record: FrameRecord) -> [Overlay] {
        record.targets.compactMap { overlay(for: $0) }
    }

    private mutating func overlay(for target: TargetRecord) -> Overlay? {
        let outline = stride(from: 0, to: target.quad.count - 1, by: 2).map { i in
            SIMD2(target.quad[i], target.quad[i + 1])
        }
        let isDrawable = outline.count == 4 && target.quad.allSatisfy(\.isFinite)
        guard isDrawable, target.state != .outOfFrame else {
            trails[target.id] = nil
            return nil
        }
        let isTracked = target.state == .tracked
        var trail = target.isKeyframe ? [] : trails[target.id] ?? []
        if isTracked { trail.append(outline.reduce(SIMD2(), +) / 4) }
        if trail.count > Self.trailLength { trail.removeFirst(trail.count - Self.trailLength) }
        trails[target.id] = trail
        // A damaged result may have none.
        let confidence = target.confidence.isFinite ? target.confidence : 0
        let percent = Int((min(max(confidence, 0), 1) * 100).rounded())
        return Overlay(
            outline: outline, label: isTracked ? "\(target.id) \(percent)%" : "\(target.id) \(target.state.rawValue)",
            color: .palette(numbers[target.id] ?? 0), isDashed: !isTracked, trail: trail)
    }
}
