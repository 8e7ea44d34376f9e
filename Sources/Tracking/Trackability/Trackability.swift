import LucasKanade

/// How well the content of a box can be tracked, told from the picture in which the box was drawn, before anything is
/// tracked.
///
/// It is looked at as the trackers look at it: at their resolution, with their templates, by the thresholds below which
/// they refuse to follow. What happens later (what else looks alike, what covers the target) no single picture tells.
public struct Trackability: Hashable, Sendable {
    /// From the best to the worst.
    public enum Verdict: String, CaseIterable, Comparable, Sendable {
        /// Nothing speaks against it.
        case good
        /// It will be followed where nothing happens to it, less exactly or with less certainty than others.
        case fair
        /// It is likely to be lost, or to slide.
        case poor
        /// The trackers will say `lost` in the next frame.
        case untrackable

        public static func < (a: Verdict, b: Verdict) -> Bool { a.rank < b.rank }

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// What speaks against a box.
    public enum Finding: String, CaseIterable, Sendable {
        /// Nothing in it differs from anything else in it or around it.
        case flat
        /// Its brightness changes in one direction only, so that it looks the same all along the other: the aperture
        /// problem.
        case edge
        /// What there is of structure hardly stands out of the noise, or is slow shading.
        case faint
        /// It is told from its surroundings by its colours, and has no pattern of its own.
        case colorOnly = "color_only"
        /// It has few pixels.
        case small
        /// Part of it lies outside the picture.
        case cutOff = "cut_off"
    }

    public var verdict: Verdict
    /// What speaks against it, the gravest first; empty where nothing does.
    public var findings: [Finding]
    /// Of the structure tensor over the box, without what noise adds to it, in (grey levels / pixel)² at the resolution
    /// that is looked at (``pixelSize``).
    public var minimumEigenvalue, maximumEigenvalue: Double
    /// How much brightness and colours vary over the box and just around it, coarsely, in grey levels: what
    /// ``RobustTrackerParameters/minimumContrast`` is held against.
    public var contrast: Double
    /// Standard deviation of the brightness in the box, in grey levels, the middle counting most: what
    /// ``TemplateTrackerParameters/minimumDeviation`` is held against.
    public var texture: Double
    /// Standard deviation of the picture's noise around the box, in grey levels at the resolution that is looked at.
    public var noise: Double
    /// The least error of the position that noise leaves from one frame to the next, in pixels, in the direction that is
    /// determined worst (the Cramér–Rao bound of the least squares); infinite where that direction is not determined.
    public var minimumError: Double
    /// Geometric mean of the box's sides, in pixels.
    public var size: Double
    /// Share of the box that lies in the picture.
    public var visible: Double
    /// Pixels of the picture that make one of those that are looked at, in each direction: large targets are looked at in
    /// less detail.
    public var pixelSize: Double
    /// How many pyramid levels the target bears: the coarsest still has enough samples, and they still differ.
    public var levels: Int

    /// Judges a box.
    ///
    /// - Parameters:
    ///   - box: as for a ``TargetRequest``.
    ///   - gray: the picture, 1 channel.
    ///   - color: the same in colour, where there is one.
    ///   - options: how the target would be tracked. The levels that they ask for do not count.
    ///   - parameters: where each verdict begins.
    /// - Throws: ``TrackingError`` as a ``TrackingSession`` would for a box or a picture that cannot be.
    public init(
        of box: Box, gray: Image, color: Image? = nil, options: TrackerOptions = TrackerOptions(),
        parameters: TrackabilityParameters = TrackabilityParameters()
    ) throws(TrackingError) {
        try Self.check(box, gray, color, options)
        let frame = PreparedFrame(
            gray: FramePreprocessor(options).apply(to: gray), color: color, workspace: AlignmentWorkspace())
        let structure = TargetStructure(box, in: frame, options: options)
        let tensor = structure.tensor.withoutNoise(ofVariance: structure.noise * structure.noise)
        (minimumEigenvalue, maximumEigenvalue) = (tensor.minimumEigenvalue, tensor.maximumEigenvalue)
        let locator = TargetLocator(box: box, in: frame, options: options)
        contrast = locator.contrast(frame, at: .init(center: box.center, scale: 1))
        (texture, noise, levels) = (structure.deviation, structure.noise, structure.levels)
        pixelSize = structure.pixelSize
        size = (box.width * box.height).squareRoot()
        visible = box.intersectionArea(frame.bounds) / box.area
        // The bound is σ / √(N·λ) where N pixels count.
        let information = Double(structure.count) * max(minimumEigenvalue, 0)
        minimumError = max(noise, parameters.minimumNoise) / information.squareRoot() * pixelSize
        (verdict, findings) = (.good, [])
        judge(options, parameters, isTextured: structure.isUsable)
    }

    private static func check(
        _ box: Box, _ gray: Image, _ color: Image?, _ options: TrackerOptions
    ) throws(TrackingError) {
        try options.validate()
        let targets = [TargetRequest(id: "box", box: box)]
        try TargetValidation.check(targets, mode: .robust)
        guard gray.channels == 1 else { throw TrackingError(.invalidFrame, "the picture is not grey") }
        if let color, color.channels != 3 || color.width != gray.width || color.height != gray.height {
            throw TrackingError(.invalidFrame, "the colour picture must have 3 channels and the grey one's size")
        }
        try TargetValidation.check(targets, width: gray.width, height: gray.height)
    }

    // MARK: Judging

    private mutating func judge(_ options: TrackerOptions, _ limits: TrackabilityParameters, isTextured: Bool) {
        var found: [(finding: Finding, verdict: Verdict)] = []
        func add(_ finding: Finding, _ verdict: Verdict?) {
            if let verdict { found.append((finding, verdict)) }
        }
        if contrast < options.robust.minimumContrast {
            add(.flat, .untrackable)
        } else {
            let least = options.points.minimumEigenvalue
            if !isTextured {
                add(.colorOnly, .fair)
            } else if maximumEigenvalue < least {
                add(.faint, .poor)
            } else {
                add(.edge, edgeVerdict(limits, least: least))
                let error = minimumError / pixelSize
                if minimumEigenvalue >= least {
                    add(.faint, error > limits.maximumError ? .poor : error > limits.largeError ? .fair : nil)
                }
            }
            add(.small, size < limits.minimumSize ? .poor : size < limits.smallSize ? .fair : nil)
        }
        add(.cutOff, visible < limits.minimumVisible ? .poor : visible < limits.mostlyVisible ? .fair : nil)
        // Equally grave ones stay in the order of the list above.
        findings = Verdict.allCases.reversed().flatMap { verdict in
            found.filter { $0.verdict == verdict }.map(\.finding)
        }
        verdict = found.map(\.verdict).max() ?? .good
    }

    private func edgeVerdict(_ limits: TrackabilityParameters, least: Double) -> Verdict? {
        let share = minimumEigenvalue / maximumEigenvalue
        if minimumEigenvalue < least || share < limits.edgeShare { return .poor }
        return share < limits.nearEdgeShare ? .fair : nil
    }
}

/// What a box's pixels are like, at the resolution that templates are made at.
private struct TargetStructure {
    let tensor: StructureTensor
    /// Pixels in the box.
    let count: Int
    let pixelSize: Double
    let noise: Double
    let deviation: Double
    let isUsable: Bool
    let levels: Int

    init(_ box: Box, in frame: PreparedFrame, options: TrackerOptions) {
        var options = options
        options.levels = TrackerOptions.mostLevels
        let viewer = TargetViewer(box: box, options: options)
        let warp = viewer.origin(of: box)
        let margin = options.template.regionMargin * max(viewer.width, viewer.height)
        let view = viewer.view(of: frame, around: warp, margin: margin)

        let plane = viewer.grayPlane(of: view)
        noise = NoiseEstimate.deviation(plane)
        let origin = viewer.origin(of: view)
        let region = box.pixels(unit: viewer.unit, originX: origin.x, originY: origin.y)
        tensor = StructureTensor(plane, columns: region.columns, rows: region.rows)
        count = region.columns.clamped(to: 0..<plane.width).count * region.rows.clamped(to: 0..<plane.height).count
        pixelSize = viewer.unit

        let parameters = options.template
        let pyramid = TemplatePyramid(
            from: viewer.gray(of: view), at: warp, width: viewer.width, height: viewer.height,
            levels: viewer.templateLevels,
            options: TemplateOptions(
                gridSide: parameters.gridSide, weightSigma: parameters.weightSigma,
                minimumDeviation: parameters.minimumDeviation))
        deviation = pyramid.levels[0].deviation
        isUsable = pyramid.status == .usable
        levels = max(pyramid.levels.prefix { $0.status == .usable }.count, 1)
    }
}

extension Box {
    /// The pixels of a reduced plane whose centres the box covers.
    fileprivate func pixels(
        unit: Double, originX: Int, originY: Int
    ) -> (columns: Range<Int>, rows: Range<Int>) {
        func range(_ start: Double, _ length: Double, _ origin: Int) -> Range<Int> {
            let first = Int((start / unit).rounded()) - origin
            return first..<max(Int(((start + length) / unit).rounded()) - origin, first + 1)
        }
        return (range(x, width, originX), range(y, height, originY))
    }
}
