extension SyntheticScene {
    /// What a scene looks like.
    public struct Options: Hashable, Sendable {
        /// Of a frame, in pixels; 16 … 8192.
        public var width, height: Int
        /// Frames that the motions are planned for, from 1; later frames stand still.
        public var frames: Int
        public var seed: UInt64
        /// 1 … 64; each moves in a cell of its own, so that they never overlap.
        public var targets: Int
        /// Of a target in the first frame, in pixels; `nil` takes 0.36 of its cell.
        public var targetWidth, targetHeight: Double?
        /// Highest speed of a target's centre along each axis, in pixels a frame; 0 … 50.
        public var speed: Double
        /// Standard deviation of the noise, in grey levels; 0 … 100.
        public var noise: Double
        /// The light goes to and fro between these factors; within 0.05 … 4.
        public var gain: ClosedRange<Double>
        /// How long the shutter is open, as a share of the time between frames; 0 … 1.
        public var motionBlur: Double
        /// Deviation of the lens's blur, in pixels; 0 … 10.
        public var defocus: Double
        /// Whether a bar crosses the frame from left to right in the middle half of the frames, in front of everything.
        public var occluder: Bool

        public init(
            width: Int = 320, height: Int = 240, frames: Int = 120, seed: UInt64 = 1, targets: Int = 1,
            targetWidth: Double? = nil, targetHeight: Double? = nil, speed: Double = 1.5, noise: Double = 0,
            gain: ClosedRange<Double> = 1...1, motionBlur: Double = 0, defocus: Double = 0, occluder: Bool = false
        ) {
            self.width = width
            self.height = height
            self.frames = frames
            self.seed = seed
            self.targets = targets
            self.targetWidth = targetWidth
            self.targetHeight = targetHeight
            self.speed = speed
            self.noise = noise
            self.gain = gain
            self.motionBlur = motionBlur
            self.defocus = defocus
            self.occluder = occluder
        }

        /// - Throws: ``TrackingError/Code/invalidOption`` naming the option that is out of its range.
        public func validate() throws(TrackingError) {
            try Self.check(Double(width), in: 16...8192, "width")
            try Self.check(Double(height), in: 16...8192, "height")
            try Self.check(Double(frames), in: 1...1_000_000, "frames")
            try Self.check(Double(targets), in: 1...64, "targets")
            try Self.check(speed, in: 0...50, "speed")
            try Self.check(noise, in: 0...100, "noise")
            try Self.check(gain.lowerBound, in: 0.05...4, "gain")
            try Self.check(gain.upperBound, in: 0.05...4, "gain")
            try Self.check(motionBlur, in: 0...1, "motionBlur")
            try Self.check(defocus, in: 0...10, "defocus")
            let cell = cellSize
            try Self.check(targetSize.width, in: 4...max(4, 0.6 * cell.width), "targetWidth")
            try Self.check(targetSize.height, in: 4...max(4, 0.6 * cell.height), "targetHeight")
        }

        private static func check(
            _ value: Double, in range: ClosedRange<Double>, _ option: String
        ) throws(TrackingError) {
            guard range.contains(value) else {
                throw TrackingError(
                    .invalidOption,
                    "\(option) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)", option: option)
            }
        }

        /// How many cells the frame is cut into for the targets.
        var grid: (columns: Int, rows: Int) {
            var columns = 1
            while columns * columns < targets { columns += 1 }
            return (columns, (targets + columns - 1) / columns)
        }

        var cellSize: (width: Double, height: Double) {
            (Double(width) / Double(grid.columns), Double(height) / Double(grid.rows))
        }

        /// The size of a target, chosen or by default.
        var targetSize: (width: Double, height: Double) {
            (
                targetWidth ?? max(4, (0.36 * cellSize.width).rounded()),
                targetHeight ?? max(4, (0.36 * cellSize.height).rounded())
            )
        }
    }
}

/// Makes a scene's layers from its options.
struct SceneComposition {
    private let options: SyntheticScene.Options

    /// Streams of random numbers, so that one layer's numbers do not depend on another's.
    private enum Stream {
        static let ground: UInt64 = 1
        static let occluder: UInt64 = 2
        static let gain: UInt64 = 3
        static let firstTarget: UInt64 = 16
    }

    init(_ options: SyntheticScene.Options) { self.options = options }

    func ground() -> SceneLayer {
        var generator = SplitMix64(seed: options.seed, stream: Stream.ground)
        let limits = WanderingMotion.Limits(
            region: Box(x: 0, y: 0, width: Double(options.width), height: Double(options.height)),
            speed: options.speed / 2, halfTangent: 0.02, scale: 0.04, aspect: 0.01, shear: 0.01)
        let motion = WanderingMotion(limits: limits, frames: options.frames, generator: &generator)
        return SceneLayer(mean: 95, contrast: 18, motion: motion, extent: nil, generator: &generator)
    }

    func targets() -> [SceneLayer] {
        (0..<options.targets).map { index in
            var generator = SplitMix64(seed: options.seed, stream: Stream.firstTarget + UInt64(index))
            let size = options.targetSize
            let motion = WanderingMotion(
                limits: .init(region: region(ofTarget: index), speed: options.speed), frames: options.frames,
                generator: &generator)
            let extent = Box(center: motion.start, width: size.width, height: size.height)
            return SceneLayer(mean: 115, contrast: 24, motion: motion, extent: extent, generator: &generator)
        }
    }

    /// Where a target's centre may be, so that it stays in its cell whatever its shape.
    private func region(ofTarget index: Int) -> Box {
        let cell = options.cellSize
        let size = options.targetSize
        // A side grows at most by twice the bounds of scale, aspect and shear, and turns by at most 16°.
        let marginX = min(cell.width / 2, 0.68 * size.width + 0.2 * size.height + 1)
        let marginY = min(cell.height / 2, 0.68 * size.height + 0.2 * size.width + 1)
        return Box(
            x: Double(index % options.grid.columns) * cell.width + marginX,
            y: Double(index / options.grid.columns) * cell.height + marginY,
            width: cell.width - 2 * marginX, height: cell.height - 2 * marginY)
    }

    /// A bar over the frame's whole height, wide enough to hide a target.
    func occluder() -> SceneLayer? {
        guard options.occluder else { return nil }
        var generator = SplitMix64(seed: options.seed, stream: Stream.occluder)
        let width = 1.6 * options.targetSize.width
        // Outside on the left until a quarter of the frames, outside on the right after three quarters.
        let speed = (Double(options.width) + width) / (Double(max(options.frames, 2)) / 2)
        let motion = CrossingMotion(start: -width - speed * Double(options.frames) / 4, speed: speed)
        let extent = Box(x: 0, y: -1, width: width, height: Double(options.height) + 2)
        return SceneLayer(mean: 100, contrast: 22, motion: motion, extent: extent, generator: &generator)
    }

    /// Goes to and fro between the ends of the range, a way in about 24 frames; starts between them.
    func gain() -> SmoothTrack {
        var generator = SplitMix64(seed: options.seed, stream: Stream.gain)
        let spacing = 6.0
        let middle = (options.gain.lowerBound + options.gain.upperBound) / 2
        var high = generator.next() & 1 == 0
        var controls = [middle, middle, middle]
        while controls.count < SmoothTrack.controlCount(duration: Double(options.frames), spacing: spacing) {
            let end = high ? options.gain.upperBound : options.gain.lowerBound
            // A spline reaches the value that three controls in a row have.
            controls += [end, end, end, middle]
            high.toggle()
        }
        return SmoothTrack(controls: controls, spacing: spacing)
    }
}
