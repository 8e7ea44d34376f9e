import Jobs
import Tracking

/// Between what a job says and what the tracker takes. The names of choices are the same in both; where a module has
/// one that the other lacks, the default stands (a test holds the two together).
extension TrackerOptions {
    public init(_ spec: TrackerSpec) {
        self.init(
            mode: Mode(rawValue: spec.mode.rawValue) ?? .robust,
            motion: Motion(rawValue: spec.motion.rawValue) ?? .affine,
            aligner: Aligner(rawValue: spec.aligner.rawValue) ?? .inverseCompositional, levels: spec.levels,
            maxIterations: spec.maxIterations, epsilon: spec.epsilon,
            illumination: Illumination(rawValue: spec.illumination.rawValue) ?? .gainBias, gamma: spec.gamma,
            onLost: OnLost(rawValue: spec.onLost.rawValue) ?? .search)
    }
}

extension TargetRequest {
    public init(_ spec: TargetSpec) {
        let keyframes = spec.keyframes.map { Keyframe(frame: $0.frame, box: Box($0.box)) }
        let points = spec.points.map { Point(x: $0.x, y: $0.y) }
        if let box = spec.box {
            self.init(id: spec.id, box: Box(box), startFrame: spec.startFrame, keyframes: keyframes, points: points)
        } else {
            self.init(id: spec.id, points: points, startFrame: spec.startFrame, keyframes: keyframes)
        }
    }
}

extension Box {
    public init(_ box: PixelBox) { self.init(x: box.x, y: box.y, width: box.width, height: box.height) }
}

extension PixelBox {
    public init(_ box: Box) { self.init(x: box.x, y: box.y, width: box.width, height: box.height) }
}

extension TargetRecord {
    public init(id: String, _ estimate: TargetEstimate) {
        self.init(
            id: id, box: PixelBox(estimate.box), quad: estimate.quad.coordinates,
            affine: estimate.affine.coefficients, state: State(rawValue: estimate.state.rawValue) ?? .lost,
            confidence: estimate.confidence, zncc: estimate.zncc, residual: estimate.residual,
            iterations: estimate.iterations, isKeyframe: estimate.isKeyframe,
            points: estimate.points?.map(PointRecord.init), peakRatio: estimate.peakRatio,
            forwardBackward: estimate.forwardBackwardError)
    }
}

extension PointRecord {
    public init(_ point: PointEstimate) {
        self.init(
            position: PixelPoint(x: point.position.x, y: point.position.y), dx: point.dx, dy: point.dy,
            forwardBackward: point.forwardBackwardError, state: State(rawValue: point.state.rawValue) ?? .lost)
    }
}
