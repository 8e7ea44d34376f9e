/// What went wrong with a source, in words for the person who sent it.
public struct MediaError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An open set; the known ones are the constants below.
    public struct Code: Hashable, Sendable, RawRepresentable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// There is no such file or folder.
        public static let notFound = Code(rawValue: "not_found")
        /// Not a video, an archive or an image that is understood, or damaged.
        public static let undecodable = Code(rawValue: "undecodable")
        /// It opened, but holds no frame.
        public static let noFrames = Code(rawValue: "no_frames")
        /// A frame has another size than the first.
        public static let sizeChanged = Code(rawValue: "size_changed")
        public static let limitExceeded = Code(rawValue: "limit_exceeded")
        /// The decoder process died.
        public static let decoderCrashed = Code(rawValue: "decoder_crashed")
        /// The decoder process made no progress for too long.
        public static let decoderTimeout = Code(rawValue: "decoder_timeout")
        public static let canceled = Code(rawValue: "canceled")
        /// An output could not be written.
        public static let cannotWrite = Code(rawValue: "cannot_write")
        /// An output would take space that is left alone.
        public static let storageFull = Code(rawValue: "storage_full")
        /// There was no memory left. A decoder's limit is ``limitExceeded``.
        public static let noMemory = Code(rawValue: "no_memory")
        /// A fault of the service: no process, no thread.
        public static let system = Code(rawValue: "system")
    }

    public var code: Code
    public var message: String
    /// The frame it happened in, where it was one.
    public var frame: Int?

    public init(_ code: Code, _ message: String, frame: Int? = nil) {
        self.code = code
        self.message = message
        self.frame = frame
    }

    public var description: String { message }
}
