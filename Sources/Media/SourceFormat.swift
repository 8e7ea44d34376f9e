/// The containers of video that are read, each with one FFmpeg demuxer.
public enum VideoContainer: String, Hashable, Sendable {
    /// ISO base media and QuickTime: mp4, m4v, mov, 3gp.
    case mp4
    /// Matroska and WebM.
    case matroska
    case avi

    /// FFmpeg's name of the demuxer.
    var demuxer: String {
        switch self {
        case .mp4: "mov"
        case .matroska: "matroska"
        case .avi: "avi"
        }
    }
}

public enum ArchiveFormat: String, Hashable, Sendable {
    case zip, tar
    case tarGzip = "tar.gz"
}

public enum ImageFormat: String, Hashable, Sendable {
    case jpeg, png, bmp, webp, tiff

    /// Whether a file's name ends like an image's.
    static func hasExtension(_ name: String) -> Bool {
        guard let dot = name.lastIndex(of: ".") else { return false }
        let known: Set = ["jpg", "jpeg", "png", "bmp", "webp", "tif", "tiff"]
        return known.contains(name[name.index(after: dot)...].lowercased())
    }
}

/// What a file is by its first bytes, found without running a parser over it.
///
/// Only what is named here is ever handed to FFmpeg, OpenCV or libarchive. So playlists (HLS, DASH, ffconcat), which
/// make FFmpeg open other files and addresses, and text with a video's name are refused before a parser sees them.
public enum SourceFormat: Hashable, Sendable {
    case video(VideoContainer)
    case archive(ArchiveFormat)
    case image(ImageFormat)

    /// How many bytes ``recognise(_:)`` wants, where the file has them.
    public static let prefixLength = 512

    /// `nil`: none of the formats above.
    public static func recognise(_ prefix: some Collection<UInt8>) -> SourceFormat? {
        let bytes = Array(prefix.prefix(prefixLength))
        if let image = image(bytes) { return .image(image) }
        if let archive = archive(bytes) { return .archive(archive) }
        return video(bytes).map { .video($0) }
    }

    private static func image(_ bytes: [UInt8]) -> ImageFormat? {
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
        if bytes.has("RIFF", at: 0), bytes.has("WEBP", at: 8) { return .webp }
        if bytes.starts(with: [0x49, 0x49, 0x2A, 0x00]) || bytes.starts(with: [0x4D, 0x4D, 0x00, 0x2A]) {
            return .tiff
        }
        // "BM" alone is too common a start of text: the four reserved bytes are zero (BITMAPFILEHEADER).
        if bytes.has("BM", at: 0), bytes.count >= 14, bytes[6..<10].allSatisfy({ $0 == 0 }) { return .bmp }
        return nil
    }

    private static func archive(_ bytes: [UInt8]) -> ArchiveFormat? {
        // A local file header, or the end record of an archive without entries (APPNOTE.TXT 4.3.7, 4.3.16).
        if bytes.has("PK\u{03}\u{04}", at: 0) || bytes.has("PK\u{05}\u{06}", at: 0) { return .zip }
        // RFC 1952, section 2.3.1; deflate is the only method.
        if bytes.starts(with: [0x1F, 0x8B, 0x08]) { return .tarGzip }
        // POSIX.1-2017, pax, ustar interchange format.
        if bytes.has("ustar", at: 257) { return .tar }
        return nil
    }

    private static func video(_ bytes: [UInt8]) -> VideoContainer? {
        // RFC 8794, section 11.2.1.
        if bytes.starts(with: [0x1A, 0x45, 0xDF, 0xA3]) { return .matroska }
        if bytes.has("RIFF", at: 0), bytes.has("AVI ", at: 8) { return .avi }
        // ISO/IEC 14496-12, 4.2 and 4.3: a box's size, then its type. QuickTime files may lack the file type box.
        let firstBoxes = ["ftyp", "moov", "mdat", "wide", "free", "skip", "pnot"]
        if firstBoxes.contains(where: { bytes.has($0, at: 4) }) { return .mp4 }
        return nil
    }
}

extension [UInt8] {
    /// Whether the ASCII text stands at an offset.
    fileprivate func has(_ text: String, at offset: Int) -> Bool {
        dropFirst(offset).starts(with: text.utf8)
    }
}
