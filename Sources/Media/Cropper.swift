import CVBridge
import LucasKanade

/// Cuts a quadrilateral out of pictures and straightens it.
public enum Cropper {
    /// What a parallelogram of the frame shows, as an upright picture of the given size: linear interpolation, black
    /// where it reaches outside of the frame.
    ///
    /// - Parameters:
    ///   - frame: grey or BGR; the crop has the same channels.
    ///   - quad: the corners top-left, top-right, bottom-right, bottom-left in pixels, the origin at the top-left corner
    ///     of the frame. The third follows from the others.
    public static func crop(
        _ frame: Image, _ quad: [SIMD2<Double>], width: Int, height: Int
    ) throws(MediaError) -> Image {
        guard quad.count == 4, quad.allSatisfy({ $0.x.isFinite && $0.y.isFinite }), width > 0, height > 0 else {
            throw MediaError(.system, "a crop needs four corners and a size")
        }
        let across = (quad[1] - quad[0]) / Double(width)
        let down = (quad[3] - quad[0]) / Double(height)
        // The centre of pixel (0, 0), half a pixel from each edge; CVBridge has integers there.
        let origin = quad[0] + (across + down) / 2 - 0.5
        let map = [across.x, down.x, origin.x, across.y, down.y, origin.y]
        return try Image.make(width: width, height: height, channels: frame.channels) { target throws(MediaError) in
            try Bridge.check("cannot cut a crop", code: .system) { error in
                frame.withView { cvb_warp_affine($0, target, map, error) }
            }
        }
    }

    /// A black BGR picture.
    public static func black(width: Int, height: Int) -> Image {
        Image(width: width, height: height, channels: 3, pixels: [UInt8](repeating: 0, count: width * height * 3))
    }
}
