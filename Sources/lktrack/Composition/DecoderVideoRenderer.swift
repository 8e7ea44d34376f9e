import Jobs
import Media
import TrackingAPI
import Workers

/// Videos on demand: the same pass that a worker makes for a job that was submitted with them.
struct DecoderVideoRenderer: VideoRenderer {
    private let renderer: JobRenderer

    init(_ renderer: JobRenderer) { self.renderer = renderer }

    func render(_ rendering: VideoRendering, isWanted: @Sendable () -> Bool) throws(MediaServiceError) {
        let job = rendering.job
        guard let resultKey = job.resultKey else {
            throw MediaServiceError(.unavailable, "the job \(job.id) has no result")
        }
        let performance = JobRenderer.Performance(job, resultKey: resultKey, frames: job.progress.framesDone)
        let check: () throws(MediaError) -> Void = { () throws(MediaError) in
            if !isWanted() { throw MediaError(.canceled, "nobody wants the video any more") }
        }
        do {
            switch rendering.content {
            case .annotated(let video):
                try renderer.annotatedVideo(
                    of: performance, container: video == .avi ? .avi : .mp4, to: rendering.key, willDraw: check)
            case .crops(let target):
                let order = JobRenderer.CropOrder(target: target, key: rendering.key)
                guard try renderer.crops(of: performance, [order], willDraw: check) == [order] else {
                    throw MediaServiceError(.targetNotFound, "The target was there in no frame that was tracked.")
                }
            }
        } catch {
            throw Self.serviceError(error)
        }
    }

    private static func serviceError(_ error: any Error) -> MediaServiceError {
        switch error {
        case let error as MediaServiceError: error
        case let error as MediaError: MediaServiceError(code(of: error.code), error.message)
        case let error as JobsError where error.code == .storageFull: MediaServiceError(.storageFull, error.message)
        default: MediaServiceError(.unavailable, "\(error)")
        }
    }

    private static func code(of code: MediaError.Code) -> MediaServiceError.Code {
        switch code {
        case .canceled: .canceled
        case .limitExceeded: .limitExceeded
        case .storageFull: .storageFull
        case .system, .cannotWrite: .unavailable
        default: .undecodable
        }
    }
}
