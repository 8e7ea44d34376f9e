/// Where a layer of a scene is at any time: a smooth map from the first frame's pixels to the frame's.
protocol SceneMotion: Sendable {
    /// - Parameter time: in frames; fractions are moments between frames.
    func pose(at time: Double) -> AffineMap
}

/// A smooth pseudo-random walk with rotation, scale, aspect and shear about the layer's centre; the identity at time 0.
struct WanderingMotion: SceneMotion {
    /// What a wandering layer may do.
    struct Limits {
        /// Where the centre stays.
        var region: Box
        /// Highest speed of the centre along each axis, in pixels a frame.
        var speed: Double
        /// Bound of the tangent of half the rotation's angle; 0.07 is 8°. Each bound holds before the value at time 0
        /// is subtracted.
        var halfTangent = 0.07
        var scale = 0.15
        var aspect = 0.05
        var shear = 0.05
    }

    /// Frames between control values: the shorter, the jerkier.
    private static let knotSpacing = 12.0

    private let x, y, halfTangent, scale, aspect, shear: SmoothTrack

    init(limits: Limits, frames: Int, generator: inout SplitMix64) {
        let count = SmoothTrack.controlCount(duration: Double(frames), spacing: Self.knotSpacing)
        let region = limits.region
        let step = limits.speed * Self.knotSpacing
        x = Self.walk(region.x...region.x + region.width, step: step, count: count, generator: &generator)
        y = Self.walk(region.y...region.y + region.height, step: step, count: count, generator: &generator)
        halfTangent = Self.noise(bound: limits.halfTangent, count: count, generator: &generator)
        scale = Self.noise(bound: limits.scale, count: count, generator: &generator)
        aspect = Self.noise(bound: limits.aspect, count: count, generator: &generator)
        shear = Self.noise(bound: limits.shear, count: count, generator: &generator)
    }

    /// The layer's centre in the first frame.
    var start: Point { Point(x: x.value(at: 0), y: y.value(at: 0)) }

    func pose(at time: Double) -> AffineMap {
        func change(_ track: SmoothTrack) -> Double { track.value(at: time) - track.value(at: 0) }
        // Rotation by the angle whose half has the tangent t: no trigonometric functions.
        let t = change(halfTangent)
        let cosine = (1 - t * t) / (1 + t * t)
        let sine = 2 * t / (1 + t * t)
        let rotation = AffineMap(a: cosine, b: -sine, tx: 0, c: sine, d: cosine, ty: 0)
        let horizontal = 1 + change(scale) + change(aspect)
        let vertical = 1 + change(scale) - change(aspect)
        let shape = AffineMap(a: horizontal, b: change(shear), tx: 0, c: 0, d: vertical, ty: 0)
        return AffineMap.translation(x.value(at: time), y.value(at: time)).composed(with: rotation)
            .composed(with: shape).composed(with: .translation(-start.x, -start.y))
    }

    /// A random walk that is reflected at the ends of a range.
    private static func walk(
        _ range: ClosedRange<Double>, step: Double, count: Int, generator: inout SplitMix64
    ) -> SmoothTrack {
        var value = generator.uniform(range)
        let controls = (0..<count).map { _ in
            // At least half the step, so that nothing stands still.
            let move = generator.uniform(step / 2...step) * (generator.next() & 1 == 0 ? 1 : -1)
            let next = range.contains(value + move) ? value + move : value - move
            value = min(max(next, range.lowerBound), range.upperBound)
            return value
        }
        return SmoothTrack(controls: controls, spacing: knotSpacing)
    }

    private static func noise(bound: Double, count: Int, generator: inout SplitMix64) -> SmoothTrack {
        SmoothTrack(controls: (0..<count).map { _ in generator.uniform(-bound...bound) }, spacing: knotSpacing)
    }
}

/// Moves along the x axis at a constant speed.
struct CrossingMotion: SceneMotion {
    /// Offset at time 0, in pixels.
    let start: Double
    /// Pixels a frame.
    let speed: Double

    func pose(at time: Double) -> AffineMap { .translation(start + speed * time, 0) }
}
