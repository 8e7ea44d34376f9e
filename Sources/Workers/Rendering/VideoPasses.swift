import Jobs
import Media

/// The videos that a job was asked for, made after it was tracked.
struct VideoPasses {
    let runner: JobRunner
    let active: ActiveJob

    /// `nil` where no annotated video was asked for.
    static func container(_ spec: JobSpec) -> VideoContainer? {
        switch spec.output.video {
        case .none: nil
        case .mp4: .mp4
        case .avi: .avi
        }
    }

    /// The keys of all that this attempt may have made beside its result.
    static func keys(_ job: Job) -> [String] {
        let video = container(job.spec).map {
            job.id.videoKey(attempt: job.attempt, fileExtension: $0.rawValue)
        }
        return (video.map { [$0] } ?? []) + cropOrders(job).map(\.key)
    }

    private static func cropOrders(_ job: Job) -> [JobRenderer.CropOrder] {
        guard job.spec.output.crops else { return [] }
        return job.spec.targets.indices.map {
            JobRenderer.CropOrder(target: $0, key: job.id.cropsKey(attempt: job.attempt, target: $0))
        }
    }

    /// Makes what was asked for. Returns the annotated video's key.
    func run() throws -> String? {
        let job = active.job
        let orders = Self.cropOrders(job)
        if !orders.isEmpty {
            _ = try runner.restartingDecoder(active) { try runner.renderer.crops(of: performance, orders) }
        }
        guard let container = Self.container(job.spec) else { return nil }
        let key = job.id.videoKey(attempt: job.attempt, fileExtension: container.rawValue)
        try runner.restartingDecoder(active) {
            try runner.renderer.annotatedVideo(of: performance, container: container, to: key)
        }
        return key
    }

    private var performance: JobRenderer.Performance {
        JobRenderer.Performance(
            active.job, resultKey: active.job.id.resultKey(attempt: active.job.attempt),
            frames: active.progress.framesDone, cancellation: active.cancellation)
    }
}
