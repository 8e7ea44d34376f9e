import CVBridge

/// Compressed images by number, in their natural order.
protocol ImageFiles: AnyObject {
    var count: Int { get }
    /// For messages.
    func name(_ index: Int) -> String
    /// The same with its number.
    func label(_ index: Int) -> String
    /// The whole file.
    func bytes(_ index: Int) throws(MediaError) -> [UInt8]
}

extension ImageFiles {
    func label(_ index: Int) -> String { "frame \(index) (\(name(index)))" }
}

/// Limits that keep one image file from filling the memory.
enum ImageFileLimits {
    static let bytes = 512 << 20
}

/// An image sequence: one picture a file, all of one size.
final class ImagePictures: PictureSource {
    private(set) var info: SourceInfo

    private let picture: Picture
    private let files: any ImageFiles
    private let limits: DecodeLimits
    /// The frame that ``picture`` holds.
    private var loaded = -1

    /// Images have no times of their own.
    private static let nominalRate: Int64 = 30

    init(_ files: any ImageFiles, limits: DecodeLimits) throws(MediaError) {
        self.files = files
        self.limits = limits
        guard files.count > 0 else {
            throw MediaError(.noFrames, "there is no image (jpg, png, bmp, webp or tiff) in it")
        }
        picture = try Picture()
        info = SourceInfo(
            width: 0, height: 0, frameCount: files.count, frameRate: Double(Self.nominalRate),
            timeBase: SourceInfo.Rational(1, Self.nominalRate), codec: "", isColor: false)
        info.codec = try decode(0).rawValue
        info.width = picture.width
        info.height = picture.height
        info.isColor = picture.isColor
    }

    func load(_ index: Int) throws(MediaError) -> Int64? {
        guard index < files.count else { return nil }
        if loaded != index {
            _ = try decode(index)
            guard picture.width == info.width, picture.height == info.height else {
                throw MediaError(
                    .sizeChanged,
                    "frame \(index) (\(files.name(index))) is \(picture.width)x\(picture.height) and the first is "
                        + "\(info.width)x\(info.height)", frame: index)
            }
        }
        return Int64(index)
    }

    func write(to base: UnsafeMutableRawPointer, layout: FrameLayout) throws(MediaError) {
        try picture.write(to: base, layout: layout, frame: loaded)
    }

    private func decode(_ index: Int) throws(MediaError) -> ImageFormat {
        let label = files.label(index)
        let bytes: [UInt8]
        do {
            bytes = try files.bytes(index)
        } catch {
            throw MediaError(error.code, "\(label): \(error.message)", frame: index)
        }
        guard case .image(let format) = SourceFormat.recognise(bytes) else {
            let reason = bytes.isEmpty ? "it is empty" : "it is no JPEG, PNG, BMP, WebP or TIFF"
            throw MediaError(.undecodable, "\(label) cannot be decoded: \(reason)", frame: index)
        }
        if let flaw = ImageIntegrity.flaw(of: bytes, format: format) {
            throw MediaError(.undecodable, "\(label) cannot be decoded: \(flaw)", frame: index)
        }
        do {
            try Bridge.check("\(label) cannot be decoded", frame: index) { error in
                cvb_picture_decode(picture.handle, bytes, bytes.count, error)
            }
        } catch  where error.code == .limitExceeded {
            throw MediaError(
                .limitExceeded, "\(label) has more than the \(limits.pixels) pixels that are allowed", frame: index)
        }
        loaded = index
        return format
    }
}
