/// What a JSON result says of where it comes from.
public struct ResultProvenance: Hashable, Sendable {
    /// Of the program that tracked.
    public var version: String
    /// `nil` where there is no job (the command line).
    public var job: JobID?
    public var source: JobSource?
    public var spec: JobSpec

    /// What the frames are like: by default what the source says, as soon as it was decoded.
    public var width, height: Int?
    public var frameRate: Double?
    /// Of the source, as its container has it.
    public var frameCount: Int?
    /// Whether there is a frame for all that the spec asked for, up to its `stop_frame` or the source's end; not where the
    /// job was canceled, has failed or goes on.
    public var isWhole = true

    /// In pixels; 0 where no frame was decoded yet.
    var frameSize: (width: Int, height: Int) { (width ?? 0, height ?? 0) }

    /// How long the last frame is shown, in seconds.
    var frameDuration: Double { frameRate.flatMap { $0 > 0 ? 1 / $0 : nil } ?? 0.04 }

    /// Whether the source has a frame after the last one of the result; `false` where nobody knows. A whole result without
    /// `stop_frame` ends with the source, whatever its container says.
    func goesOn(after frame: Int) -> Bool {
        guard let frameCount, frame + 1 < frameCount else { return false }
        return !isWhole || spec.stopFrame.map { frame + spec.frameStep >= $0 } == true
    }

    public init(version: String, job: JobID? = nil, source: JobSource? = nil, spec: JobSpec) {
        (width, height, frameRate) = (source?.width, source?.height, source?.frameRate)
        frameCount = source?.frameCount
        self.version = version
        self.job = job
        self.source = source
        self.spec = spec
    }
}
