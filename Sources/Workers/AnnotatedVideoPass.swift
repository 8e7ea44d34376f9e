import Jobs
import Media

/// Plays a job's source again, with its results drawn in, after it was tracked.
struct AnnotatedVideoPass {
    let runner: JobRunner
    let active: ActiveJob

    /// `nil` where no video was asked for.
    static func container(_ spec: JobSpec) -> VideoContainer? {
        switch spec.output.video {
        case .none: nil
        case .mp4: .mp4
        case .avi: .avi
        }
    }

    /// Makes the video where one was asked for. Returns its key.
    func run() throws -> String? {
        guard let container = Self.container(active.job.spec) else { return nil }
        let (id, attempt) = (active.job.id, active.job.attempt)
        let key = id.videoKey(attempt: attempt, fileExtension: container.rawValue)
        try runner.restartingDecoder(active) { try render(to: key, container) }
        return key
    }

    private func render(to key: String, _ container: VideoContainer) throws {
        let spec = active.job.spec
        let run = TrackingRun(spec)
        var request = run.decodeRequest(limits: runner.configuration.limits, color: true)
        request.stop = [request.stop, lastFrame(run)].compactMap { $0 }.min()
        let source = try runner.open(active, request)
        defer { source.close() }
        let writer = try runner.blobs.create(key)
        do {
            let encoder = try VideoEncoder(
                path: try writer.localPath(), container: container, width: source.info.width,
                height: source.info.height, frameRate: source.info.frameRate / Double(spec.frameStep))
            var records = try RecordReader(runner.blobs, key: active.job.id.resultKey(attempt: active.job.attempt))
            var annotation = Annotation(spec: spec)
            try AnnotatedVideo.render(source: source, encoder: encoder) { frame throws(MediaError) in
                guard let record = records.record(frame: frame.index) else { return [] }
                return annotation.overlays(for: record)
            }
            _ = try writer.commit()
        } catch {
            writer.abort()
            throw error
        }
    }

    /// The first frame that was not tracked.
    private func lastFrame(_ run: TrackingRun) -> Int {
        run.spec.startFrame + active.progress.framesDone * run.spec.frameStep
    }
}

/// A result's records in the order of their frames.
private struct RecordReader {
    private var lines: BlobLines
    private var pending: FrameRecord?

    init(_ blobs: any BlobStore, key: String) throws {
        guard let reader = try blobs.open(key) else { throw JobsError(.io, "the blob \(key) is gone") }
        lines = BlobLines(reader)
    }

    /// The record of a frame, which is not before the one that was asked for last; `nil` where there is none.
    mutating func record(frame: Int) -> FrameRecord? {
        while let record = pending ?? next() {
            pending = record
            if record.frame > frame { return nil }
            pending = nil
            if record.frame == frame { return record }
        }
        return nil
    }

    private mutating func next() -> FrameRecord? {
        guard let line = try? lines.next() else { return nil }
        return try? FrameRecord(line: line)
    }
}
