import Jobs
import LucasKanade
import Media

/// Plays a job's source again, after it was tracked, and makes videos of it with its result. Knows no lease and no
/// store of jobs: workers use it, and those who make videos on demand.
public struct JobRenderer: Sendable {
    let blobs: any BlobStore
    let limits: DecodeLimits
    let storage: StorageLimits
    let decoder: DecoderCommand

    public init(
        blobs: any BlobStore, limits: DecodeLimits, storage: StorageLimits = StorageLimits(),
        decoder: DecoderCommand = .current
    ) {
        self.blobs = blobs
        self.limits = limits
        self.storage = storage
        self.decoder = decoder
    }

    /// What is played again.
    public struct Performance: Sendable {
        public var job: Job
        /// Of the NDJSON result.
        public var resultKey: String
        /// How many frames of it were tracked.
        public var frames: Int
        /// Ends a blocked decoder.
        public var cancellation: MediaCancellation

        public init(_ job: Job, resultKey: String, frames: Int, cancellation: MediaCancellation = MediaCancellation()) {
            self.job = job
            self.resultKey = resultKey
            self.frames = frames
            self.cancellation = cancellation
        }
    }

    /// Draws the result over the source, into a new blob. At an error nothing stays behind; one is that the video takes
    /// more space than it may.
    ///
    /// - Parameter willDraw: called before each frame; may throw to end it all.
    public func annotatedVideo(
        of performance: Performance, container: VideoContainer, to key: String,
        willDraw: () throws(MediaError) -> Void = {}
    ) throws {
        let spec = performance.job.spec
        let source = try open(performance)
        defer { source.close() }
        let writer = try blobs.create(key)
        do {
            let encoder = try VideoEncoder(
                path: try writer.localPath(), container: container, width: source.info.width,
                height: source.info.height, frameRate: source.info.frameRate / Double(spec.frameStep))
            var records = try RecordReader(blobs, key: performance.resultKey)
            var annotation = Annotation(spec: spec)
            var meter = StorageMeter(blobs, storage)
            try AnnotatedVideo.render(source: source, encoder: encoder) { frame throws(MediaError) in
                try willDraw()
                try meter.check(encoder.bytesWritten, spare: encoder.bytesWritten)
                guard let record = records.record(frame: frame.index) else { return [] }
                return annotation.overlays(for: record)
            }
            try meter.check(encoder.bytesWritten)
            _ = try writer.commit()
        } catch {
            writer.abort()
            throw error
        }
    }

    /// The tracked frames of the source, in colour.
    func open(_ performance: Performance) throws -> DecoderProcess {
        let run = TrackingRun(performance.job.spec)
        var request = run.decodeRequest(limits: limits, forDrawing: true)
        // The first frame that was not tracked.
        let end = run.spec.startFrame + performance.frames * run.spec.frameStep
        request.stop = [request.stop, end].compactMap { $0 }.min()
        return try open(performance.job.source, request, performance.cancellation)
    }

    func open(
        _ source: JobSource, _ request: DecodeRequest, _ cancellation: MediaCancellation
    ) throws -> DecoderProcess {
        guard let path = try blobs.decodablePath(of: source, leaving: limits.diskFloorBytes) else {
            throw JobsError(.io, "the blob \(source.blobKey) is gone")
        }
        let input: MediaInput = source.kind == .video ? .video(path: path) : .archive(path: path)
        return try DecoderProcess.open(input, request: request, command: decoder, cancellation: cancellation)
    }
}
