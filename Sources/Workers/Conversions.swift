import Jobs
import Tracking

/// Between what a job says and what the tracker takes. Choices are matched one by one, so that the compiler tells of
/// one that a module gets and the other lacks; that their names are the same, too, a test holds.
extension TrackerOptions {
    public init(_ spec: TrackerSpec) {
        self.init(
            mode: Mode(spec.mode), motion: Motion(spec.motion), aligner: Aligner(spec.aligner), levels: spec.levels,
            maxIterations: spec.maxIterations, epsilon: spec.epsilon, illumination: Illumination(spec.illumination),
            gamma: spec.gamma, onLost: OnLost(spec.onLost))
    }
}

extension TrackerOptions.Mode {
    init(_ mode: TrackerSpec.Mode) {
        switch mode {
        case .robust: self = .robust
        case .template: self = .template
        case .points: self = .points
        }
    }
}

extension TrackerOptions.Motion {
    init(_ motion: TrackerSpec.Motion) {
        switch motion {
        case .translation: self = .translation
        case .similarity: self = .similarity
        case .affine: self = .affine
        }
    }
}

extension TrackerOptions.Aligner {
    init(_ aligner: TrackerSpec.Aligner) {
        switch aligner {
        case .forwardAdditive: self = .forwardAdditive
        case .inverseCompositional: self = .inverseCompositional
        case .esm: self = .esm
        }
    }
}

extension TrackerOptions.Illumination {
    init(_ illumination: TrackerSpec.Illumination) {
        switch illumination {
        case .none: self = .none
        case .gainBias: self = .gainBias
        case .clahe: self = .clahe
        case .gamma: self = .gamma
        }
    }
}

extension TrackerOptions.OnLost {
    init(_ onLost: TrackerSpec.OnLost) {
        switch onLost {
        case .search: self = .search
        case .hold: self = .hold
        case .stop: self = .stop
        }
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
            affine: estimate.affine.coefficients, state: State(estimate.state), confidence: estimate.confidence,
            zncc: estimate.zncc, residual: estimate.residual, iterations: estimate.iterations,
            isKeyframe: estimate.isKeyframe, points: estimate.points?.map(PointRecord.init),
            peakRatio: estimate.peakRatio, forwardBackward: estimate.forwardBackwardError)
    }
}

extension TargetRecord.State {
    init(_ state: TargetEstimate.State) {
        switch state {
        case .tracked: self = .tracked
        case .coasting: self = .coasting
        case .lost: self = .lost
        case .outOfFrame: self = .outOfFrame
        }
    }
}

extension PointRecord {
    public init(_ point: PointEstimate) {
        self.init(
            position: PixelPoint(x: point.position.x, y: point.position.y), dx: point.dx, dy: point.dy,
            forwardBackward: point.forwardBackwardError, state: State(point.state))
    }
}

extension PointRecord.State {
    init(_ state: PointEstimate.State) {
        switch state {
        case .tracked: self = .tracked
        case .lost: self = .lost
        case .outOfFrame: self = .outOfFrame
        }
    }
}
