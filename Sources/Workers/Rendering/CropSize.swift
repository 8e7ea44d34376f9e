import Jobs

/// The size of a target's crops in pixels: that of its first box, made smaller where a side is too long for a crop, and
/// even, because most video encoders and players need it.
struct CropSize: Hashable {
    /// Of a side, in pixels.
    static let longest = 512.0
    /// Encoders take no smaller pictures.
    static let shortest = 16.0

    let width, height: Int

    init(_ box: PixelBox) {
        let longest = max(box.width, box.height)
        let scale = longest.isFinite && longest > Self.longest ? Self.longest / longest : 1
        func side(_ length: Double) -> Int {
            let pixels = length.isFinite ? length * scale : 0
            return 2 * Int((min(max(pixels, Self.shortest), Self.longest) / 2).rounded())
        }
        (width, height) = (side(box.width), side(box.height))
    }
}
