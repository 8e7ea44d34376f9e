/// Whether a point could be followed.
public enum PointFlowStatus: Sendable, Hashable {
    case tracked
    /// The window has too little texture in some direction (`minimumEigenvalue`).
    case degenerate
    /// The point lies, or went, outside the image, or is not a number.
    case outOfBounds
}

/// Where a point went.
public struct PointFlowResult: Sendable, Hashable {
    /// In pixels of the second image; where it went where that is out of bounds, the guess where it is degenerate.
    public var x, y: Double
    public var status: PointFlowStatus
    /// Mean absolute difference of the two windows, in grey levels; 0 where the point was not tracked.
    public var residual: Double
    /// The lesser eigenvalue of the finest window's gradient matrix for each of its pixels, in (grey levels / pixel)².
    public var minimumEigenvalue: Double
    /// Steps made, over all levels.
    public var iterations: Int
}

/// Follows single points from an image to the next: the translation of a square window by least squares (Lucas & Kanade
/// 1981), from coarse to fine (Bouguet, "Pyramidal implementation of the Lucas Kanade feature tracker", 2001). Gradients
/// are those of the first image, so they are computed once a level.
public struct PointFlow: Sendable, Hashable {
    /// Side of the window in pixels of every level, at least 3.
    public var window: Int
    /// Number of pyramid levels used, as far as both images have them.
    public var levels: Int
    /// Of each level.
    public var maximumIterations: Int
    /// A level is done when a step is shorter, in its pixels.
    public var epsilon: Double
    /// A window whose gradient matrix has a lesser eigenvalue than this for each pixel, in (grey levels / pixel)², is
    /// degenerate: blank, or an edge that looks the same all along.
    public var minimumEigenvalue: Double

    public init(
        window: Int = 21, levels: Int = 3, maximumIterations: Int = 30, epsilon: Double = 0.01,
        minimumEigenvalue: Double = 0.25
    ) {
        self.window = window
        self.levels = levels
        self.maximumIterations = maximumIterations
        self.epsilon = epsilon
        self.minimumEigenvalue = minimumEigenvalue
    }

    /// Follows the point at (x, y) of `first` into `second`, starting from `guess` (by default from where it was).
    /// Both pyramids must begin with the same level.
    public func track(
        x: Double, y: Double, from first: Pyramid, to second: Pyramid, guess: AffineWarp.Point? = nil,
        workspace: AlignmentWorkspace
    ) -> PointFlowResult {
        let guess = guess ?? (x, y)
        var result = PointFlowResult(
            x: guess.x, y: guess.y, status: .outOfBounds, residual: 0, minimumEigenvalue: 0, iterations: 0)
        guard first.contains(x, y), second.contains(guess.x, guess.y),
            first.levels.lowerBound == second.levels.lowerBound
        else { return result }
        var (flowX, flowY) = (guess.x - x, guess.y - y)
        let shared = first.levels.clamped(to: second.levels)
        for level in shared.prefix(max(levels, 1)).reversed() {
            let window = FlowWindow(
                side: max(window, 3), x: x, y: y, pyramid: first, level: level, workspace: workspace)
            result.minimumEigenvalue = window.minimumEigenvalue
            result.status = .degenerate
            // A coarse level may have lost the texture that a finer one still has.
            guard window.minimumEigenvalue >= minimumEigenvalue else { continue }
            for _ in 0..<maximumIterations {
                let (stepX, stepY) = window.step(second, x: x + flowX, y: y + flowY)
                (flowX, flowY) = (flowX + stepX, flowY + stepY)
                result.iterations += 1
                guard second.contains(x + flowX, y + flowY) else {
                    (result.x, result.y, result.status) = (x + flowX, y + flowY, .outOfBounds)
                    return result
                }
                if (stepX * stepX + stepY * stepY).squareRoot().atLevel(level) < epsilon { break }
            }
            result.status = .tracked
            if level == shared.lowerBound { result.residual = window.residual(second, x: x + flowX, y: y + flowY) }
        }
        if result.status == .tracked { (result.x, result.y) = (x + flowX, y + flowY) }
        return result
    }

    /// Follows a point there and back again.
    ///
    /// - Returns: the way there, and how far from the start the way back ends, in pixels: infinite where either was
    ///   lost (Kalal, Mikolajczyk & Matas, "Forward-backward error", ICPR 2010).
    public func trackForwardBackward(
        x: Double, y: Double, from first: Pyramid, to second: Pyramid, guess: AffineWarp.Point? = nil,
        workspace: AlignmentWorkspace
    ) -> (forward: PointFlowResult, error: Double) {
        let forward = track(x: x, y: y, from: first, to: second, guess: guess, workspace: workspace)
        guard forward.status == .tracked else { return (forward, .infinity) }
        let back = track(
            x: forward.x, y: forward.y, from: second, to: first, guess: guess.map { _ in (x, y) }, workspace: workspace)
        guard back.status == .tracked else { return (forward, .infinity) }
        return (forward, ((back.x - x) * (back.x - x) + (back.y - y) * (back.y - y)).squareRoot())
    }
}

extension Pyramid {
    /// Whether a position lies on the pyramid's region. False for a NaN.
    fileprivate func contains(_ x: Double, _ y: Double) -> Bool {
        let (left, top) = (Double(region.x) - 0.5, Double(region.y) - 0.5)
        return x >= left && x <= left + Double(region.width) && y >= top && y <= top + Double(region.height)
    }
}
