import Jobs

/// What the API needs to know of media. Implemented where the program is put together, because this module parses none.
public protocol MediaServices: Sendable {
    /// Tells what a file is by its first bytes.
    ///
    /// - Parameter prefix: the first 4096 bytes, or the whole file where it is shorter.
    /// - Returns: `nil` for what cannot be tracked: text, playlists, unknown containers.
    func recognise(prefix: [UInt8]) -> RecognisedMedia?

    /// The pixels that frame `index` is tracked on, encoded. Blocks while the source is decoded up to there.
    ///
    /// - Parameters:
    ///   - index: counts from 0.
    ///   - kind: what the source is.
    ///   - path: where the source's file is.
    ///   - isWanted: asked now and then; once it is false, decoding ends with ``MediaServiceError/Code/canceled``.
    func frame(
        _ index: Int, of kind: JobSource.Kind, path: String, as format: FrameFormat,
        isWanted: @escaping @Sendable () -> Bool
    ) throws(MediaServiceError) -> [UInt8]

    /// How well boxes on a picture can be tracked. Blocks while it is decoded.
    ///
    /// - Parameter isWanted: asked now and then; once it is false, decoding ends with
    ///   ``MediaServiceError/Code/canceled``.
    func trackability(
        of boxes: [PixelBox], on picture: StillPicture, isWanted: @escaping @Sendable () -> Bool
    ) throws(MediaServiceError) -> PictureTrackability
}

/// What a file was recognised as.
public struct RecognisedMedia: Hashable, Sendable {
    public enum Kind: Sendable {
        /// A video container that is on the list of those we open.
        case video
        /// A zip or tar.
        case archive
        /// A single picture.
        case image
    }

    public var kind: Kind
    /// `video/mp4`
    public var mediaType: String
    /// `mp4`
    public var fileExtension: String

    public init(_ kind: Kind, mediaType: String, fileExtension: String) {
        self.kind = kind
        self.mediaType = mediaType
        self.fileExtension = fileExtension
    }
}

/// How a single frame is sent.
public enum FrameFormat: String, CaseIterable, Sendable {
    case png, jpeg

    public var mediaType: String { "image/\(rawValue)" }
}

/// Why there is no picture of a frame.
public struct MediaServiceError: Error, Hashable, Sendable {
    /// An open set; the known ones are the constants below.
    public struct Code: Hashable, Sendable, RawRepresentable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The source ends before that frame.
        public static let frameNotFound = Code(rawValue: "frame_not_found")
        /// The source cannot be decoded up to that frame.
        public static let undecodable = Code(rawValue: "undecodable")
        /// A limit on pixels, frames or bytes was passed.
        public static let limitExceeded = Code(rawValue: "limit_exceeded")
        /// Decoding takes longer than somebody who waits is to be kept.
        public static let timedOut = Code(rawValue: "timed_out")
        /// Too many decoders run already.
        public static let busy = Code(rawValue: "busy")
        /// A fault of the service.
        public static let unavailable = Code(rawValue: "unavailable")
    }

    public var code: Code
    /// For the client.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
