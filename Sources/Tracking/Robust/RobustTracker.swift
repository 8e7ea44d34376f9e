import LucasKanade

/// ``TrackerOptions/Mode/robust``: locates the target, aligns its shape, verifies what was found, learns from what it is
/// sure of, coasts through what it is not, and finds again what it has lost.
struct RobustTracker: TargetTracker {
    private let box: Box
    /// Geometric mean of the first box's sides, in pixels.
    private let size: Double
    private let parameters: RobustTrackerParameters
    private let onLost: TrackerOptions.OnLost
    private var locator: TargetLocator
    private var aligner: ShapeAligner

    private var warp: AffineWarp
    /// Where the target was verified last, and how fast it was there.
    private var verified: AffineWarp
    private var verifiedVelocity = Point(x: 0, y: 0)
    private var velocity = Point(x: 0, y: 0)
    /// Whether a missed target must have left the picture by now.
    private var hasLeft = false
    /// The last frame in which the target was found, as the aligner saw it.
    private var lastView: TargetView
    /// Running mean of the filter's response to the target.
    private var usualResponse: Double
    /// The same of the aligned template's correlation.
    private var usualCorrelation = 0.0
    /// Frames in which the target was found, and those since without it.
    private var seen = 0
    private var missed = 0

    init(box: Box, in frame: PreparedFrame, options: TrackerOptions) {
        self.box = box
        size = (box.width * box.height).squareRoot()
        parameters = options.robust
        onLost = options.onLost
        locator = TargetLocator(box: box, in: frame, options: options)
        aligner = ShapeAligner(box: box, in: frame, options: options)
        warp = aligner.warp(of: box)
        verified = warp
        lastView = aligner.view(of: frame, around: warp)
        let start = TargetLocator.Start(center: box.center, scale: 1)
        locator.learn(frame, at: start)
        usualResponse = parameters.firstShare * (locator.locate(frame, from: [start])?.response ?? 0)
    }

    mutating func track(_ frame: PreparedFrame) -> TargetEstimate {
        guard isLookedFor, let location = locator.locate(frame, from: starts) else { return rest(in: frame) }
        let located = aligner.moved(warp, to: clamped(location.center, to: frame))
        guard verify(location, at: located, in: frame) else { return miss(location, in: frame) }
        return accept(location, at: located, in: frame)
    }

    private var isLost: Bool { missed > parameters.coastingFrames }

    /// A picture without any structure cannot be told from another.
    private var isLookedFor: Bool { locator.isUsable && !(isLost && onLost == .stop) }

    private var center: Point { aligner.center(of: warp) }

    private func clamped(_ point: Point, to frame: PreparedFrame) -> Point {
        Point(
            x: min(max(point.x, 0), Double(frame.gray.width)), y: min(max(point.y, 0), Double(frame.gray.height)))
    }

    // MARK: Locate

    /// Where the target is looked for: where it was and where its velocity takes it; once it is missed, also around, in
    /// an area that grows.
    private var starts: [TargetLocator.Start] {
        let here = TargetLocator.Start(center: center, scale: warp.scale)
        if missed > 0 { return [here] + surroundings(of: here) }
        guard velocity.length > parameters.predictedSpeed * size * warp.scale else { return [here] }
        return [here, here.moved(velocity.x, velocity.y)]
    }

    /// A few places of a growing grid, other ones in every frame: a lost target costs little more than a found one.
    private func surroundings(of here: TargetLocator.Start) -> [TargetLocator.Start] {
        guard onLost == .search else { return [] }
        let reach = min(missed / parameters.searchGrowth, parameters.searchReach)
        let step = parameters.searchStep * size * warp.scale
        var grid: [TargetLocator.Start] = []
        for j in -reach...reach {
            for i in -reach...reach where i != 0 || j != 0 {
                grid.append(here.moved(Double(i) * step, Double(j) * step))
            }
        }
        return (0..<min(parameters.searchStarts, grid.count)).map {
            grid[(missed * parameters.searchStarts + $0) % grid.count]
        }
    }

    // MARK: Verify

    /// How far a response that is too low speaks against learning: in the first frames nobody knows yet what is usual.
    private var experience: Double { min(1, Double(seen + 1) / parameters.warmUp) }

    /// The filter's word counts by its usual response; where that does not suffice, alignment is asked as well.
    private func verify(_ location: TargetLocator.Location, at located: AffineWarp, in frame: PreparedFrame) -> Bool {
        let share = location.response / max(usualResponse, .leastNormalMagnitude)
        if missed == 0 {
            return share >= parameters.lostShare
                || isConfirmed(at: located, in: frame, above: parameters.opinionCorrelation, unknown: false)
        }
        return share >= parameters.sureShare
            || share >= parameters.foundShare
                && isConfirmed(at: located, in: frame, above: parameters.foundCorrelation, unknown: true)
    }

    /// - Parameter unknown: what is said of a target without texture, told by its colours, whose template can have no
    ///   opinion.
    private func isConfirmed(
        at located: AffineWarp, in frame: PreparedFrame, above correlation: Double, unknown: Bool
    ) -> Bool {
        let view = aligner.view(of: frame, around: located)
        return aligner.opinion(view, at: located, workspace: frame.workspace).map { $0 > correlation } ?? unknown
    }

    // MARK: Found

    private mutating func accept(
        _ location: TargetLocator.Location, at located: AffineWarp, in frame: PreparedFrame
    ) -> TargetEstimate {
        let isUsual = location.response >= parameters.learnShare * experience * usualResponse
        learnUsual(location.response, isUsual: isUsual)
        let (last, lastFound) = (warp, verified)
        let view = aligner.view(of: frame, around: located)
        let fit = aligner.align(view, from: located, last: last, workspace: frame.workspace)
        // What covers a target in part makes it look smaller: only a usual fit may change the shape.
        let fitsAsUsual = fit.correlation >= parameters.shapeShare * usualCorrelation
        warp = fit.isImproved && fitsAsUsual ? blended(located, fit.warp) : located
        let rate = usualCorrelation == 0 ? 1 : parameters.correlationRate
        usualCorrelation += rate * (fit.correlation - usualCorrelation)
        let error = aligner.forwardBackwardError(
            view, warp, before: lastView, lastFound, workspace: frame.workspace)

        let move = center - aligner.center(of: last)
        // A target that was just found again has no velocity that means anything.
        velocity = missed == 0 ? move : Point(x: 0, y: 0)
        lastView = view
        verified = warp
        verifiedVelocity = velocity
        missed = 0
        hasLeft = false
        seen += 1
        if isUsual { locator.learn(frame, at: .init(center: center, scale: warp.scale)) }
        if fit.correlation > parameters.updateCorrelation {
            aligner.update(view, at: warp, workspace: frame.workspace)
        }

        let confidence = RobustConfidence.found(
            response: location.response, firstCorrelation: fit.firstCorrelation)
        var estimate = estimate(in: frame, .tracked, confidence: confidence)
        estimate.zncc = fit.correlation
        estimate.residual = fit.residual
        estimate.iterations = fit.iterations
        estimate.peakRatio = location.peakRatio
        estimate.forwardBackwardError = error
        return estimate
    }

    private mutating func learnUsual(_ response: Double, isUsual: Bool) {
        guard missed == 0 else { return }
        let rate = isUsual ? max(parameters.responseRate, 1 / Double(seen + 1)) : parameters.unusualResponseRate
        usualResponse += rate * (response - usualResponse)
    }

    /// The filter and the aligner see the target differently and err differently: the position is between theirs.
    private func blended(_ located: AffineWarp, _ aligned: AffineWarp) -> AffineWarp {
        let share = parameters.alignedPositionShare
        return AffineWarp(
            a: aligned.a, b: aligned.b, tx: located.tx + share * (aligned.tx - located.tx),
            c: aligned.c, d: aligned.d, ty: located.ty + share * (aligned.ty - located.ty))
    }

    // MARK: Missed

    private mutating func miss(_ location: TargetLocator.Location, in frame: PreparedFrame) -> TargetEstimate {
        missed += 1
        watchExit(frame)
        // What was followed while coasting has led nowhere.
        if missed == parameters.coastingFrames + 1 && !hasLeft { warp = verified }
        let here = center
        if !isLost, !hasLeft, (location.center - here).length < parameters.coastingLeap * size * warp.scale {
            // Something is there, only not sure enough to learn from.
            velocity = Point(x: 0, y: 0)
            warp = aligner.moved(warp, to: clamped(location.center, to: frame))
        } else if !isLost || onLost == .search {
            velocity = Point(x: velocity.x * parameters.velocityDecay, y: velocity.y * parameters.velocityDecay)
            warp = aligner.moved(warp, to: clamped(here + velocity, to: frame))
        }
        return estimate(in: frame, missedState, confidence: RobustConfidence.missed(missed))
    }

    /// A frame in which the target is not looked for.
    private mutating func rest(in frame: PreparedFrame) -> TargetEstimate {
        missed += 1
        watchExit(frame)
        return estimate(in: frame, missedState, confidence: 0)
    }

    private var missedState: TargetEstimate.State { hasLeft ? .outOfFrame : isLost ? .lost : .coasting }

    /// A target that is missed where its velocity was about to take its centre over the picture's edge has left, and is
    /// out of the picture until it is found again.
    private mutating func watchExit(_ frame: PreparedFrame) {
        guard missed == 1 else { return }
        let from = aligner.center(of: verified)
        let frames = parameters.exitFrames
        hasLeft = !frame.contains(
            Point(x: from.x + frames * verifiedVelocity.x, y: from.y + frames * verifiedVelocity.y))
    }

    private func estimate(
        in frame: PreparedFrame, _ state: TargetEstimate.State, confidence: Double
    ) -> TargetEstimate {
        let map = aligner.map(warp, ofBox: box)
        return TargetEstimate(
            box: map.uprightBox(of: box), quad: map.apply(box.quad), affine: map, state: state, confidence: confidence,
            zncc: 0, residual: 0,
            iterations: 0, isKeyframe: false)
    }
}

extension Point {
    fileprivate static func + (a: Point, b: Point) -> Point { Point(x: a.x + b.x, y: a.y + b.y) }
    fileprivate static func - (a: Point, b: Point) -> Point { Point(x: a.x - b.x, y: a.y - b.y) }
    fileprivate var length: Double { (x * x + y * y).squareRoot() }
}
