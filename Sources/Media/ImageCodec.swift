import CVBridge
import LucasKanade

/// Pictures as files, and in other sizes.
public enum ImageCodec {
    /// Throws ``MediaError/Code/cannotWrite``.
    public static func png(_ image: Image) throws(MediaError) -> [UInt8] {
        try encode(image) { view, bytes, error in cvb_encode_png(view, bytes, error) }
    }

    /// `quality` is 1 to 100. Throws ``MediaError/Code/cannotWrite``.
    public static func jpeg(_ image: Image, quality: Int = 90) throws(MediaError) -> [UInt8] {
        let quality = Int32(min(max(quality, 1), 100))
        return try encode(image) { view, bytes, error in cvb_encode_jpeg(view, quality, bytes, error) }
    }

    /// Area averaging where the image shrinks in both directions, else linear interpolation.
    public static func resized(_ image: Image, width: Int, height: Int) throws(MediaError) -> Image {
        try Image.make(width: width, height: height, channels: image.channels) { target throws(MediaError) in
            try Bridge.check("cannot resize the image", code: .system) { error in
                image.withView { cvb_resize($0, target, error) }
            }
        }
    }

    private static func encode(
        _ image: Image,
        _ encoder: (cvb_view, UnsafeMutablePointer<OpaquePointer?>, cvb_error) -> cvb_status
    ) throws(MediaError) -> [UInt8] {
        var encoded: OpaquePointer?
        try Bridge.check("cannot encode the image", code: .cannotWrite) { error in
            image.withView { encoder($0, &encoded, error) }
        }
        defer { cvb_bytes_destroy(encoded) }
        return Array(UnsafeBufferPointer(start: cvb_bytes_data(encoded), count: cvb_bytes_count(encoded)))
    }
}
