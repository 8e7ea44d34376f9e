import StreamSafe

/// What the server and a decoder process tell each other, one message a datagram, in little-endian integers of 64 bits.
///
/// The decoder has parsed untrusted media and may be in an attacker's hands: reading its messages never traps, and
/// every value is checked again by who uses it.
package enum DecoderMessage: Hashable {
    // Server to decoder.
    case request(DecoderTask)
    /// Restrict yourself as for a job, say what the system refused, and end.
    case check
    /// The ring has its size and may be mapped.
    case ring(slots: Int)
    /// A slot may be written again.
    case release(slot: Int)

    // Decoder to server.
    case opened(SourceInfo)
    case frame(index: Int, slot: Int, pts: Int64)
    /// It is at work, though there is no frame yet: it goes on reading the container, decoding, or unpacking.
    case progress
    /// There is no further frame.
    case end
    case failed(MediaError)
    /// The answer to `check`.
    case checked(refused: DecoderRestrictions)

    /// The longest message; longer texts are cut.
    static let capacity = 4096
}

/// What a decoder process has to do. The input itself is a descriptor.
package struct DecoderTask: Hashable {
    package var kind: InputKind
    package var request: DecodeRequest
    /// What it may do without, because this system is known to refuse it.
    package var tolerated = DecoderRestrictions()

    package enum InputKind: Hashable {
        case video(VideoContainer)
        case archive(ArchiveFormat)
        case folder
        case image

        /// Whether it holds image files.
        var isImages: Bool { if case .video = self { false } else { true } }
    }
}

extension DecoderMessage {
    private enum Tag: Int64 {
        case request = 1
        case ring, release, opened, frame, progress, end, failed, check, checked
    }

    package var encoded: [UInt8] {
        var writer = MessageWriter()
        switch self {
        case .request(let task):
            writer.put(Tag.request.rawValue)
            writer.put(task)
        case .ring(let slots): writer.put(Tag.ring.rawValue, Int64(slots))
        case .release(let slot): writer.put(Tag.release.rawValue, Int64(slot))
        case .opened(let info):
            writer.put(Tag.opened.rawValue)
            writer.put(info)
        case .frame(let index, let slot, let pts): writer.put(Tag.frame.rawValue, Int64(index), Int64(slot), pts)
        case .progress: writer.put(Tag.progress.rawValue)
        case .end: writer.put(Tag.end.rawValue)
        case .failed(let error):
            writer.put(Tag.failed.rawValue, Int64(error.frame ?? -1))
            writer.put(error.code.rawValue)
            writer.put(error.message)
        case .check: writer.put(Tag.check.rawValue)
        case .checked(let refused): writer.put(Tag.checked.rawValue, Int64(refused.rawValue))
        }
        return writer.bytes
    }

    /// `nil` for anything that ``encoded`` does not make.
    package init?(decoding bytes: some Collection<UInt8>) {
        var reader = MessageReader(bytes)
        guard let value = reader.integer(), let tag = Tag(rawValue: value) else { return nil }
        switch tag {
        case .request:
            guard let task = reader.task() else { return nil }
            self = .request(task)
        case .ring:
            guard let slots = reader.count() else { return nil }
            self = .ring(slots: slots)
        case .release:
            guard let slot = reader.count() else { return nil }
            self = .release(slot: slot)
        case .opened:
            guard let info = reader.info() else { return nil }
            self = .opened(info)
        case .frame:
            guard let index = reader.count(), let slot = reader.count(), let pts = reader.integer() else { return nil }
            self = .frame(index: index, slot: slot, pts: pts)
        case .progress: self = .progress
        case .end: self = .end
        case .failed:
            guard let frame = reader.optionalCount(), let code = reader.text(), let text = reader.text() else {
                return nil
            }
            self = .failed(MediaError(MediaError.Code(rawValue: code), text, frame: frame))
        case .check: self = .check
        case .checked:
            guard let refused = reader.restrictions() else { return nil }
            self = .checked(refused: refused)
        }
        guard reader.isAtEnd else { return nil }
    }
}

struct MessageWriter {
    private(set) var bytes: [UInt8] = []

    /// Longer than any codec's name, and short enough for two texts in a message.
    fileprivate static let longestText = 1500

    mutating func put(_ values: Int64...) {
        for value in values {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
    }

    /// Cut between scalars, and without control characters, which some stores have no place for.
    mutating func put(_ text: String) {
        let isStreamSafe = text.isStreamSafe
        var utf8: [UInt8] = []
        for scalar in text.unicodeScalars where isStreamSafe || scalar.isASCII {
            let written = UTF8.encode(MessageReader.isText(scalar) ? scalar : " ") ?? .init()
            guard utf8.count + written.count <= Self.longestText else { break }
            utf8.append(contentsOf: written)
        }
        put(Int64(utf8.count))
        bytes.append(contentsOf: utf8)
    }

    mutating func put(_ value: Double) { put(Int64(bitPattern: value.bitPattern)) }

    mutating func put(_ task: DecoderTask) {
        switch task.kind {
        case .video(let container): put("video/" + container.rawValue)
        case .archive(let format): put("archive/" + format.rawValue)
        case .folder: put("folder")
        case .image: put("image")
        }
        let request = task.request
        put(Int64(request.start), Int64(request.stop ?? -1), Int64(request.step), request.color ? 1 : 0)
        put(
            Int64(request.limits.pixels), Int64(request.limits.frames), request.limits.archiveBytes,
            request.limits.diskFloorBytes)
        put(request.limits.stallSeconds)
        put(Int64(request.limits.memoryBytes))
        put(request.limits.seconds)
        put(Int64(task.tolerated.rawValue))
    }

    mutating func put(_ info: SourceInfo) {
        put(Int64(info.width), Int64(info.height), Int64(info.frameCount ?? -1))
        put(info.frameRate)
        put(info.timeBase.numerator, info.timeBase.denominator, info.isColor ? 1 : 0)
        put(info.codec)
    }
}

struct MessageReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: some Collection<UInt8>) { self.bytes = Array(bytes) }

    var isAtEnd: Bool { position == bytes.count }

    mutating func integer() -> Int64? {
        guard bytes.count - position >= 8 else { return nil }
        defer { position += 8 }
        return bytes[position..<(position + 8)].reversed().reduce(0) { $0 << 8 | Int64($1) }
    }

    /// An integer that is not negative.
    mutating func count() -> Int? {
        guard let value = integer(), value >= 0 else { return nil }
        return Int(exactly: value)
    }

    /// Absent as −1.
    fileprivate mutating func optionalCount() -> Int?? {
        guard let value = integer(), value >= -1 else { return nil }
        return .some(value < 0 ? nil : Int(exactly: value))
    }

    private mutating func flag() -> Bool? {
        guard let value = integer(), value == 0 || value == 1 else { return nil }
        return value == 1
    }

    mutating func text() -> String? {
        guard let length = count(), length <= min(MessageWriter.longestText, bytes.count - position) else { return nil }
        defer { position += length }
        let text = String(validating: bytes[position..<(position + length)], as: UTF8.self)
        return text.flatMap { $0.isStreamSafe && $0.unicodeScalars.allSatisfy(Self.isText) ? $0 : nil }
    }

    fileprivate static func isText(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
    }

    private mutating func double() -> Double? { integer().map { Double(bitPattern: UInt64(bitPattern: $0)) } }

    mutating func task() -> DecoderTask? {
        guard let name = text(), let kind = Self.kind(name), let start = count(), let stop = optionalCount(),
            let step = count(), let color = flag(), let pixels = count(), let frames = count(),
            let archiveBytes = integer(), let diskFloorBytes = integer(), let stallSeconds = double(),
            let memoryBytes = count(),
            let seconds = double(), let tolerated = restrictions()
        else { return nil }
        let limits = DecodeLimits(
            pixels: pixels, frames: frames, stallSeconds: stallSeconds, archiveBytes: archiveBytes,
            diskFloorBytes: diskFloorBytes, memoryBytes: memoryBytes, seconds: seconds)
        let request = DecodeRequest(start: start, stop: stop, step: step, color: color, limits: limits)
        return DecoderTask(kind: kind, request: request, tolerated: tolerated)
    }

    mutating func restrictions() -> DecoderRestrictions? {
        guard let bits = integer(), let value = Int(exactly: bits) else { return nil }
        let restrictions = DecoderRestrictions(rawValue: value)
        return DecoderRestrictions.all.isSuperset(of: restrictions) ? restrictions : nil
    }

    private static func kind(_ name: String) -> DecoderTask.InputKind? {
        switch name {
        case "folder": return .folder
        case "image": return .image
        default:
            let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { return nil }
            switch parts[0] {
            case "video": return VideoContainer(rawValue: parts[1]).map { .video($0) }
            case "archive": return ArchiveFormat(rawValue: parts[1]).map { .archive($0) }
            default: return nil
            }
        }
    }

    mutating func info() -> SourceInfo? {
        guard let width = count(), let height = count(), let frameCount = optionalCount(), let frameRate = double(),
            let numerator = integer(), let denominator = integer(), let isColor = flag(), let codec = text()
        else { return nil }
        return SourceInfo(
            width: width, height: height, frameCount: frameCount, frameRate: frameRate,
            timeBase: SourceInfo.Rational(numerator, denominator), codec: codec, isColor: isColor)
    }
}
