import Jobs
import Logging

/// What attempts leave in a job's folder and nobody asks for any more.
extension JobRunner {
    /// Once they are put together.
    func removeParts(_ active: ActiveJob) {
        guard LedRun.isFor(active.job, configuration) else { return }
        do {
            // With those of leaders that died.
            for attempt in 1...max(active.job.attempt, 1) {
                try blobs.remove(active.job.id.partsPrefix(attempt: attempt))
            }
        } catch {
            logger.warning("blobs could not be removed", metadata: metadata(active, error))
        }
    }

    /// Each attempt has keys of its own, so this takes nothing from another worker.
    func removeBlobs(_ active: ActiveJob) {
        removeParts(active)
        for key in Self.keys(active.job) {
            do {
                try blobs.remove(key)
            } catch {
                logger.warning("blob could not be removed", metadata: metadata(active, error))
            }
        }
    }

    /// What workers finished before they died, which nobody asks for any more.
    func removeFormerAttempts(_ active: ActiveJob) {
        guard active.job.attempt > 1 else { return }
        do {
            let folder = active.job.id.blobPrefix
            let there = Set(try blobs.children(of: folder).map { "\(folder)/\($0)" })
            var former = active.job
            for attempt in 1..<active.job.attempt {
                former.attempt = attempt
                let keys = [former.id.partsPrefix(attempt: attempt)] + Self.keys(former)
                for key in keys where there.contains(key) { try blobs.remove(key) }
            }
        } catch {
            logger.warning("blobs of former attempts could not be removed", metadata: metadata(active, error))
        }
    }

    /// Of all that an attempt may have finished.
    private static func keys(_ job: Job) -> [String] {
        [job.id.resultKey(attempt: job.attempt)] + VideoPasses.keys(job)
    }
}
