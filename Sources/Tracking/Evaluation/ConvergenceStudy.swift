import LucasKanade

/// The frequency with which the aligners converge (Baker & Matthews, "Lucas-Kanade 20 years on", IJCV 2004, section
/// 3.4).
///
/// A square patch of a made-up, smooth texture is known in one picture; another shows it under a known affine warp.
/// Three corners of the true place are moved by normal noise of σ pixels along each axis, the affine warp of the three
/// is where an aligner starts, and after ``iterations`` it has converged where the four corners are within ``radius`` of
/// the truth (root mean square). Both pictures are computed from the texture itself, so that the truth has no
/// interpolation error, and are rounded to 8 bits. All aligners and conditions have the same starts.
public struct ConvergenceStudy: Sendable {
    /// What makes the second picture differ from the first.
    public struct Condition: Hashable, Sendable {
        public var name: String
        /// Standard deviation of the noise of each of the two pictures, in grey levels.
        public var noise = 0.0
        public var gain = 1.0
        /// In grey levels.
        public var bias = 0.0
        /// Standard deviation of the second picture's blur, in pixels.
        public var blur = 0.0
        /// Share of the patch behind a square of another texture, somewhere in the patch; 0 … 1.
        public var occlusion = 0.0
        public var robust = RobustWeights.none

        public init(_ name: String) { self.name = name }

        /// The conditions of the published table.
        public static var all: [Condition] {
            [
                Condition("No disturbance"),
                Condition("Noise, σ 4 grey levels").with { $0.noise = 4 },
                Condition("Noise, σ 8 grey levels").with { $0.noise = 8 },
                Condition("Noise, σ 16 grey levels").with { $0.noise = 16 },
                Condition("Gain 1.3, bias −15 grey levels").with { ($0.gain, $0.bias) = (1.3, -15) },
                Condition("Blur, σ 2 px").with { $0.blur = 2 },
                Condition("30 % occluded").with { $0.occlusion = 0.3 },
                Condition("30 % occluded, Tukey's weights").with { ($0.occlusion, $0.robust) = (0.3, .tukey) },
            ]
        }

        private func with(_ change: (inout Condition) -> Void) -> Condition {
            var condition = self
            change(&condition)
            return condition
        }
    }

    /// What one aligner reached at one σ.
    public struct Outcome: Hashable, Sendable {
        public var trials = 0
        public var converged = 0
        /// Sum of the converged trials' corner errors, in pixels.
        public var errorSum = 0.0

        public init() {}

        /// 0 … 1; 0 without trials.
        public var frequency: Double { Double(converged) / Double(max(trials, 1)) }

        public static func + (a: Outcome, b: Outcome) -> Outcome {
            var sum = a
            sum.trials += b.trials
            sum.converged += b.converged
            sum.errorSum += b.errorSum
            return sum
        }
    }

    /// One aligner under one condition.
    public struct Row: Hashable, Sendable {
        public var method: AlignmentMethod
        /// One for each of ``ConvergenceStudy/sigmas``.
        public var outcomes: [Outcome]

        /// Mean corner error of all trials that converged, in pixels; `nil` where none did.
        public var finalError: Double? {
            let sum = outcomes.reduce(Outcome(), +)
            return sum.converged > 0 ? sum.errorSum / Double(sum.converged) : nil
        }
    }

    /// Standard deviations of the corners' moves along each axis, in pixels.
    public var sigmas: [Double] = (1...10).map(Double.init)
    /// Textures, each from a seed of its own: `seed`, `seed` + 1 …
    public var textures = 5
    /// For each texture and σ.
    public var trials = 100
    public var seed: UInt64 = 2004
    /// Of the patch, in pixels; it has as many samples.
    public var side = 100
    public var iterations = 15
    /// Converged below this, in pixels.
    public var radius = 1.0

    public init() {}

    /// A row for each aligner, in the order of `AlignmentMethod.allCases`. The same values give the same rows.
    public func run(_ condition: Condition) -> [Row] {
        var rows = AlignmentMethod.allCases.map { method in
            Row(method: method, outcomes: sigmas.map { _ in Outcome() })
        }
        let workspace = AlignmentWorkspace()
        for texture in 0..<textures {
            let scene = ConvergenceScene(side: side, seed: seed &+ UInt64(texture), condition: condition)
            for (index, sigma) in sigmas.enumerated() {
                for trial in 0..<trials {
                    let stream = UInt64(index * trials + trial)
                    let pictures = scene.pictures(stream: stream)
                    let start = scene.start(sigma: sigma, stream: stream)
                    for row in rows.indices {
                        let error = align(
                            pictures, from: start, method: rows[row].method, robust: condition.robust,
                            truth: scene.truth, workspace: workspace)
                        rows[row].outcomes[index].trials += 1
                        guard error < radius else { continue }
                        rows[row].outcomes[index].converged += 1
                        rows[row].outcomes[index].errorSum += error
                    }
                }
            }
        }
        return rows
    }

    /// The corner error that is left, in pixels.
    private func align(
        _ pictures: ConvergenceScene.Pictures, from start: AffineWarp, method: AlignmentMethod, robust: RobustWeights,
        truth: AffineWarp, workspace: AlignmentWorkspace
    ) -> Double {
        let options = AlignmentOptions(method: method, robust: robust, maximumIterations: iterations, epsilon: 0)
        let result = Aligner(options: options).align(
            pictures.template, to: pictures.image, from: start, workspace: workspace)
        let length = Double(side)
        let pairs = zip(
            result.warp.corners(width: length, height: length), truth.corners(width: length, height: length))
        let squares = pairs.reduce(0) { sum, pair in
            let (dx, dy) = (pair.0.x - pair.1.x, pair.0.y - pair.1.y)
            return sum + dx * dx + dy * dy
        }
        return (squares / 4).squareRoot()
    }
}
