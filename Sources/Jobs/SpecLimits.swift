/// What a spec may ask for.
public enum SpecLimits {
    public static let targets = 1...64
    /// Keyframes of one target.
    public static let keyframes = 10_000
    /// Points of one target.
    public static let points = 4096
    /// Coordinates of a point in pixels: none lies left of or above every frame.
    public static let pointCoordinate = 0.0...1_000_000
    /// Characters of a target's id.
    public static let idLength = 1...64
    /// Sides of a box in pixels.
    public static let boxSide = 4.0...1_000_000
    /// Coordinates of a box's corner in pixels.
    public static let boxCorner = -1_000_000.0...1_000_000
    /// Frame numbers.
    public static let frame = 0...1_000_000_000
    public static let frameStep = 1...10_000
    public static let levels = 1...6
    public static let maxIterations = 1...200
    /// Pixels.
    public static let epsilon = 0.0001...1.0
    public static let gamma = 0.1...10.0
    public static let priority = -100...100
    /// Up to a week.
    public static let deadlineSeconds = 0.1...604_800.0
    public static let labels = 16
    /// Characters.
    public static let labelKeyLength = 1...64
    /// Bytes of UTF-8.
    public static let labelValueLength = 256
    /// Problems that are reported at once.
    public static let problems = 100
}
