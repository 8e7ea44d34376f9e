import LucasKanade

/// Follows a target's points from frame to frame by sparse pyramidal Lucas-Kanade flow, each there and back again; the
/// box follows what most of the points do, counted from where they were first.
struct PointsTracker: TargetTracker {
    /// The target's box, and its points, where they were drawn.
    private let box: Box
    private let anchors: [Point]
    private let flow: PointFlow
    private let motion: TrackerOptions.Motion
    private let onLost: TrackerOptions.OnLost
    private let parameters: PointsTrackerParameters

    private var views: PointViews
    private var points: [PointEstimate]
    /// Points that could be followed at first: in the frame, and with texture.
    private let usable: Int
    /// From the frame in which the box was drawn to the last one.
    private var map = AffineMap.identity
    /// Its state for good, once it was lost and is not to be looked for.
    private var end: TargetEstimate.State?

    init(box: Box, in frame: PreparedFrame, options: TrackerOptions) {
        self.init(box: box, points: [], in: frame, options: options)
    }

    /// - Parameter points: none stand for a grid over the box.
    init(box: Box, points anchors: [Point], in frame: PreparedFrame, options: TrackerOptions) {
        var parameters = options.points
        // No box grows far beyond the frame.
        let room = (parameters.maximumArea * frame.bounds.area / box.area).squareRoot()
        parameters.maximumScale = min(parameters.maximumScale, max(room, 1))
        let anchors = anchors.isEmpty ? box.grid(side: parameters.gridSide) : anchors
        self.box = box
        self.anchors = anchors
        self.parameters = parameters
        motion = options.motion
        onLost = options.onLost
        let flow = PointFlow(
            window: parameters.window, levels: options.levels, maximumIterations: options.maxIterations,
            epsilon: options.epsilon, minimumEigenvalue: parameters.minimumEigenvalue)
        self.flow = flow
        views = PointViews(anchors, window: parameters.window, levels: options.levels)
        var points = anchors.map { PointEstimate(position: $0, state: frame.contains($0) ? .tracked : .outOfFrame) }
        // A frame's flow to itself tells where there is nothing to hold on to.
        views.advance(to: frame, positions: points.map(\.livePosition)) { indices, _, pyramid in
            for index in indices {
                let (x, y) = anchors[index].pixel
                let result = flow.track(x: x, y: y, from: pyramid, to: pyramid, workspace: frame.workspace)
                if result.status != .tracked { points[index].state = .lost }
            }
        }
        self.points = points
        usable = points.count { $0.state == .tracked }
    }

    var pointEstimates: [PointEstimate]? { points }

    mutating func track(_ frame: PreparedFrame) -> TargetEstimate {
        let progress = follow(frame)
        let alive = points.indices.filter { points[$0].state == .tracked }
        let fit = PointFit(
            from: alive.map { anchors[$0] }, to: alive.map { points[$0].position }, box: box, motion: motion, last: map,
            parameters: parameters
        ).solve()
        let agreeing = fit.map { $0.agrees.count { $0 } } ?? 0
        let share = usable > 0 ? Double(agreeing) / Double(usable) : 0
        let isFound =
            agreeing > 0 && share >= parameters.minimumShare && isNear(fit?.map, frame)
            && Double(agreeing) >= parameters.minimumAgreement * Double(alive.count)
        if isFound, let fit { map = fit.map }
        // The share itself is too modest: of boxes that a tenth of the points vouch for, most are right.
        let confidence = isFound ? share.squareRoot() : 0
        let isOutside = !frame.contains(map.apply(box.center)) || (!isFound && mostHaveLeft)
        let state = end ?? (isOutside ? .outOfFrame : isFound ? .tracked : .lost)
        if !isFound, onLost == .stop { stop(as: state) }
        return TargetEstimate(
            box: map.uprightBox(of: box), quad: map.apply(box.quad), affine: map, state: state, confidence: confidence,
            zncc: 0,
            residual: progress.residual, iterations: progress.iterations, isKeyframe: false, points: points,
            forwardBackwardError: median(alive.compactMap { points[$0].forwardBackwardError }))
    }

    /// Follows no point any more: what is left of them could agree again, on whatever they stuck to.
    private mutating func stop(as state: TargetEstimate.State) {
        end = state
        for index in points.indices where points[index].state == .tracked { points[index].state = .lost }
    }

    /// Whether the box's centre is no further outside the frame than the box is large.
    private func isNear(_ map: AffineMap?, _ frame: PreparedFrame) -> Bool {
        guard let box = map?.uprightBox(of: box) else { return false }
        let (center, bounds) = (box.center, frame.bounds)
        return abs(center.x - bounds.center.x) <= bounds.width / 2 + box.width
            && abs(center.y - bounds.center.y) <= bounds.height / 2 + box.height
    }

    /// Whether more points have left the frame than were lost in it.
    private var mostHaveLeft: Bool {
        points.count { $0.state == .outOfFrame } > points.count { $0.state == .lost }
    }

    /// Follows every point that is still tracked.
    ///
    /// - Returns: the mean residual of those that were found, in grey levels, and all steps of the way there.
    private mutating func follow(_ frame: PreparedFrame) -> (residual: Double, iterations: Int) {
        let (flow, limit) = (flow, parameters.maximumForwardBackwardError)
        var points = points
        var (sum, found, iterations) = (0.0, 0, 0)
        views.advance(to: frame, positions: points.map(\.livePosition)) { indices, last, now in
            for index in indices {
                let (x, y) = points[index].position.pixel
                let (there, error) = flow.trackForwardBackward(
                    x: x, y: y, from: last, to: now, workspace: frame.workspace)
                iterations += there.iterations
                points[index].move(there, error: error, limit: limit, in: frame)
                if points[index].state == .tracked { (sum, found) = (sum + there.residual, found + 1) }
            }
        }
        for index in points.indices where points[index].state != .tracked {
            if self.points[index].state != .tracked { points[index].forwardBackwardError = nil }
        }
        self.points = points
        return (found > 0 ? sum / Double(found) : 0, iterations)
    }

    private func median(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }
}

extension PointEstimate {
    /// `nil` where it is not followed any more.
    fileprivate var livePosition: Point? { state == .tracked ? position : nil }

    /// Takes over what the flow found.
    fileprivate mutating func move(_ flow: PointFlowResult, error: Double, limit: Double, in frame: PreparedFrame) {
        let target = Point(pixelX: flow.x, y: flow.y)
        (dx, dy) = (0, 0)
        forwardBackwardError = error.isFinite ? error : nil
        if flow.status == .tracked, error <= limit {
            (dx, dy) = (target.x - position.x, target.y - position.y)
            position = target
        } else {
            let hasLeft = flow.status == .outOfBounds && flow.x.isFinite && flow.y.isFinite && !frame.contains(target)
            state = hasLeft ? .outOfFrame : .lost
        }
    }
}

extension Point {
    /// From coordinates that have the centre of the first pixel at 0.
    fileprivate init(pixelX x: Double, y: Double) { self.init(x: x + 0.5, y: y + 0.5) }

    fileprivate var pixel: AffineWarp.Point { (x - 0.5, y - 0.5) }
}

extension Box {
    /// The centres of side × side equal cells, row by row.
    fileprivate func grid(side: Int) -> [Point] {
        (0..<side * side).map { number in
            let (column, row) = (Double(number % side) + 0.5, Double(number / side) + 0.5)
            return Point(x: x + width * column / Double(side), y: y + height * row / Double(side))
        }
    }
}
