/// What is drawn over a frame for one target.
public struct Overlay: Hashable, Sendable {
    public struct Color: Hashable, Sendable {
        public var red, green, blue: UInt8

        public init(red: UInt8, green: UInt8, blue: UInt8) {
            self.red = red
            self.green = green
            self.blue = blue
        }

        /// A colour of its own for each target, by its number; they come round after eight. Okabe & Ito, "Color
        /// Universal Design" (2008): told apart by the colour-blind too.
        public static func palette(_ number: Int) -> Color { colors[Int(number.magnitude % UInt(colors.count))] }

        private static let colors = [
            Color(red: 0, green: 158, blue: 115), Color(red: 230, green: 159, blue: 0),
            Color(red: 86, green: 180, blue: 233), Color(red: 204, green: 121, blue: 167),
            Color(red: 240, green: 228, blue: 66), Color(red: 0, green: 114, blue: 178),
            Color(red: 213, green: 94, blue: 0), Color(red: 255, green: 255, blue: 255),
        ]
    }

    /// The corners of a closed outline in pixels, in order.
    public var outline: [SIMD2<Double>]
    /// Written at the outline's top left; what is not ASCII becomes `?`.
    public var label: String
    public var color: Color
    /// For a target that is not seen at the moment.
    public var isDashed: Bool
    /// Where the target was, the oldest first.
    public var trail: [SIMD2<Double>]

    public init(
        outline: [SIMD2<Double>], label: String = "", color: Color, isDashed: Bool = false, trail: [SIMD2<Double>] = []
    ) {
        self.outline = outline
        self.label = label
        self.color = color
        self.isDashed = isDashed
        self.trail = trail
    }

    /// An upright box.
    public init(
        x: Double, y: Double, width: Double, height: Double, label: String = "", color: Color, isDashed: Bool = false,
        trail: [SIMD2<Double>] = []
    ) {
        let outline = [
            SIMD2(x, y), SIMD2(x + width, y), SIMD2(x + width, y + height), SIMD2(x, y + height),
        ]
        self.init(outline: outline, label: label, color: color, isDashed: isDashed, trail: trail)
    }
}
