import Jobs

/// Makes videos of a job's source and its result. Implemented where the program is put together, because this module
/// parses no media.
public protocol VideoRenderer: Sendable {
    /// Renders a video into the blob store and commits it under its key. Blocks for as long as the source takes to be
    /// decoded. At an error nothing is left behind.
    ///
    /// - Parameter isWanted: asked between frames; where it is false, the rendering ends with
    ///   ``MediaServiceError/Code/canceled``.
    func render(_ rendering: VideoRendering, isWanted: @Sendable () -> Bool) throws(MediaServiceError)
}

/// A video that can be made of a job that has ended, and has tracked frames.
public struct VideoRendering: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        /// The source with the targets drawn in.
        case annotated(OutputSpec.Video)
        /// One target, stabilised; counts from 0 in the spec.
        case crops(target: Int)
    }

    public var job: Job
    public var content: Content
    /// Of the blob that it becomes.
    public var key: String

    public init(_ content: Content, of job: Job, key: String) {
        self.job = job
        self.content = content
        self.key = key
    }
}

extension MediaServiceError.Code {
    /// Nobody wants it any more.
    public static let canceled = Self(rawValue: "canceled")
    /// No space left on the device.
    public static let storageFull = Self(rawValue: "storage_full")
    /// The target was not there in any frame.
    public static let targetNotFound = Self(rawValue: "target_not_found")
}
