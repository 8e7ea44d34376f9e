/// One run of an aligner: what it works on and the steps of an iteration, numbered as in Baker & Matthews 2004
/// (figures 1 and 4). Steps that belong to the template alone (gradient, Jacobian and Hessian of inverse compositional)
/// were done when it was made.
struct Alignment {
    let template: Template
    let pyramid: Pyramid
    let options: AlignmentOptions
    let start: AffineWarp
    let workspace: AlignmentWorkspace
    /// The plane the warp is sampled from; kept for the whole run.
    let level: Int
    let layout: GridLayout
    let grids: AlignmentWorkspace.Grids

    var warp: AffineWarp
    var iterations = 0
    var inlierShare = 1.0
    var photometry: PhotometricState?
    /// Kept where the matrix is the template's own.
    private var templateSystem: NormalSystem?

    init(
        template: Template, pyramid: Pyramid, options: AlignmentOptions, start: AffineWarp,
        workspace: AlignmentWorkspace
    ) {
        self.template = template
        self.pyramid = pyramid
        self.options = options
        self.start = start
        self.workspace = workspace
        warp = start
        level = pyramid.clampedLevel(template.shape.samplingLevel(under: start))
        layout = GridLayout(template.shape)
        grids = workspace.grids(columns: template.columns, rows: template.rows)
    }

    /// Iterates until the steps are small, then measures the fit where it ended.
    mutating func run() -> AlignmentResult {
        guard template.status == .usable else { return result(.degenerate) }
        guard overlap(at: warp) >= options.minimumOverlap else { return result(.outOfBounds) }
        var status = AlignmentStatus.maxIterations
        while iterations < options.maximumIterations {
            switch template.withSections({ iterate($0) }) {
            case .next(let moved):
                let before = warp
                warp = moved
                iterations += 1
                if isRunaway { return restart(.diverged) }
                let step = moved.maximumCornerDistance(to: before, width: template.width, height: template.height)
                if step.atLevel(level) >= options.epsilon { continue }
                status = .converged
            case .stopped(let reason):
                return restart(reason)
            }
            break
        }
        return result(overlap(at: warp) >= options.minimumOverlap ? status : .outOfBounds)
    }

    /// What an iteration leads to.
    private enum Outcome {
        case next(AffineWarp)
        case stopped(AlignmentStatus)
    }

    private mutating func iterate(_ sections: Template.Sections) -> Outcome {
        // (1) Warp I with W(x; p).
        guard warpImage() else { return .stopped(.outOfBounds) }
        // Subtracted for the sums' precision only: about the image's mean is as good as the mean.
        let mean =
            photometry.map { Float($0.level) }
            ?? weightedMean(grids.image, weights: sections.weights, size: layout.size)
        // (2) The error image; as far as it is needed for its own sake: to tell which samples do not fit.
        var state = photometry ?? initialPhotometry(sections, shift: mean)
        if options.robust != .none { state = weigh(sections, state: state, shift: mean) }
        // (3)-(7) Gradient, steepest descent images, Hessian; the steepest descent images times the error.
        guard isTemplatesOwn || makeGradients(sections, gain: state.gain) else { return .stopped(.diverged) }
        let steepest = steepestDescent(sections)
        guard let system = system(sections, steepest) else { return .stopped(.degenerate) }
        var right = RightSide(
            gradientX: steepest.gradientX, gradientY: steepest.gradientY, samples: sections.samples,
            weights: steepest.weights, image: grids.image, shift: mean, layout: layout)
        let matched = PhotometricState(system.photometry.adding(right), shift: mean, matchingDeviations: true)
        if options.photometry == .none {
            right.subtractTemplate(system.templateProducts, level: template.mean - Double(mean))
        }
        // (8) Solve for Δp.
        let solution = system.solution(for: right)
        if options.photometry == .gainAndBias {
            state = PhotometricState(
                gain: max(solution.gain, matched.gain * PhotometricState.leastShareOfMatchedGain),
                level: solution.bias + Double(mean))
        }
        photometry = state
        // (9) Update the warp.
        return updated(by: solution, gain: state.gain).map { .next($0) } ?? .stopped(.diverged)
    }

    /// Whether the gradients are those of the template.
    private var isTemplatesOwn: Bool { options.method == .inverseCompositional }

    /// What the steepest descent images are made of.
    private struct SteepestDescent {
        let gradientX, gradientY, weights: UnsafePointer<Float>
    }

    private func steepestDescent(_ sections: Template.Sections) -> SteepestDescent {
        let weights =
            if options.robust == .none {
                sections.weights
            } else if isTemplatesOwn {
                UnsafePointer(grids.weights)
            } else {
                erodeWeights(grids, columns: template.columns, layout: layout)
            }
        return isTemplatesOwn
            ? SteepestDescent(gradientX: sections.gradientX, gradientY: sections.gradientY, weights: weights)
            : SteepestDescent(
                gradientX: UnsafePointer(grids.gradientX), gradientY: UnsafePointer(grids.gradientY), weights: weights)
    }

    /// The normal equations. Those of inverse compositional without robust weights are the template's own, once for all
    /// iterations.
    /// - Returns: nil where they do not determine the motion.
    private mutating func system(_ sections: Template.Sections, _ steepest: SteepestDescent) -> NormalSystem? {
        if let templateSystem { return templateSystem }
        guard isTemplatesOwn, options.robust == .none else {
            return system(
                of: NormalMatrix(
                    gradientX: steepest.gradientX, gradientY: steepest.gradientY, samples: sections.samples,
                    weights: steepest.weights, layout: layout))
        }
        templateSystem = system(of: template.normalMatrix)
        return templateSystem
    }

    private func system(of matrix: NormalMatrix) -> NormalSystem? {
        let linear = options.method == .forwardAdditive ? warp : .identity
        return NormalSystem(
            matrix, basis: MotionBasis(options.motion, shape: template.shape, linear: linear),
            photometry: options.photometry, shapeDamping: options.shapeDamping)
    }

    /// Whether the warp has left the range in which the options let it move.
    private var isRunaway: Bool {
        let diagonal = (template.width * template.width + template.height * template.height).squareRoot()
        let motion = warp.maximumCornerDistance(to: start, width: template.width, height: template.height)
        let change = warp.determinant / start.determinant
        // Written so that a NaN is a runaway.
        return
            !(warp.isFinite && motion <= options.maximumMotion * diagonal * max(start.scale, 1)
            && change <= options.maximumAreaChange && change >= 1 / options.maximumAreaChange)
    }

    private mutating func restart(_ status: AlignmentStatus) -> AlignmentResult {
        warp = start
        photometry = nil
        inlierShare = 1
        return result(status)
    }
}
