import Jobs

/// The picture that boxes are judged on.
public enum StillPicture: Hashable, Sendable {
    /// A file that holds one image.
    case image(path: String)
    /// A frame of a video or an archive; counts from 0.
    case frame(Int, of: JobSource.Kind, path: String)
}

/// How well boxes on a picture can be tracked.
public struct PictureTrackability: Hashable, Sendable {
    /// Of the picture, in pixels.
    public var width, height: Int
    /// In the order of the boxes; `nil` for one that lies outside the picture.
    public var boxes: [BoxTrackability?]

    public init(width: Int, height: Int, boxes: [BoxTrackability?]) {
        self.width = width
        self.height = height
        self.boxes = boxes
    }
}

/// How well one box can be tracked. What its numbers are measured in stands in the OpenAPI document.
public struct BoxTrackability: Hashable, Sendable {
    public enum Verdict: String, CaseIterable, Sendable { case good, fair, poor, untrackable }

    public enum Finding: String, CaseIterable, Sendable {
        case flat, edge, faint, small
        case colorOnly = "color_only"
        case cutOff = "cut_off"
    }

    public var box: PixelBox
    public var verdict: Verdict
    /// What speaks against it, the gravest first.
    public var findings: [Finding]
    /// What to do, for a person.
    public var advice: String
    public var leastEigenvalue, greatestEigenvalue: Double
    public var contrast: Double
    public var texture: Double
    public var noise: Double
    /// `nil` where it is not bounded.
    public var leastError: Double?
    public var size: Double
    public var visible: Double
    public var pixelSize: Double
    public var levels: Int

    public init(
        box: PixelBox, verdict: Verdict, findings: [Finding], advice: String, leastEigenvalue: Double,
        greatestEigenvalue: Double, contrast: Double, texture: Double, noise: Double, leastError: Double?, size: Double,
        visible: Double, pixelSize: Double, levels: Int
    ) {
        self.box = box
        self.verdict = verdict
        self.findings = findings
        self.advice = advice
        self.leastEigenvalue = leastEigenvalue
        self.greatestEigenvalue = greatestEigenvalue
        self.contrast = contrast
        self.texture = texture
        self.noise = noise
        self.leastError = leastError
        self.size = size
        self.visible = visible
        self.pixelSize = pixelSize
        self.levels = levels
    }

    var json: JSONValue {
        [
            "box": .array([box.x, box.y, box.width, box.height].map { .number($0) }),
            "verdict": .string(verdict.rawValue),
            "findings": .array(findings.map { .string($0.rawValue) }),
            "advice": .string(advice),
            "least_eigenvalue": .number(leastEigenvalue),
            "greatest_eigenvalue": .number(greatestEigenvalue),
            "contrast": .number(contrast),
            "texture": .number(texture),
            "noise": .number(noise),
            "least_error": leastError.map { .number($0) } ?? .null,
            "size": .number(size),
            "visible": .number(visible),
            "pixel_size": .number(pixelSize),
            "levels": .int(levels),
        ]
    }
}
