import Jobs
import Logging
import Media

/// Follows a part of a job that another worker leads. Whatever goes wrong here is left to the leader, who does the part
/// itself and finds out whether it is the job's fault.
struct PartRunner: Sendable {
    let runner: JobRunner

    /// Returns when the part is published, released or given up. Blocks for as long as it runs.
    func run(_ active: ActiveJob, _ part: JobPart) {
        var file: ResultFile?
        do {
            try runner.restartingDecoder(active) {
                file?.abort()
                let key = active.job.id.partKey(
                    attempt: active.job.attempt, part: part.number, token: active.lease.token)
                let records = try ResultFile(runner.blobs, key: key, limits: runner.configuration.storage)
                file = records
                let run = TrackingRun(
                    active.job.spec, targets: Array(part.targets), niceness: runner.configuration.niceness)
                _ = try runner.pass(active, run, begin: { active.beginTracking(framesTotal: $0) }) { record in
                    try records.append(record)
                    active.countFrame()
                }
            }
        } catch  where active.interruption == nil {
            runner.logger.warning("part of a job left to its leader", metadata: runner.metadata(active, error))
            return giveUp(active, file)
        } catch {
            // The decoder was stopped with the part.
        }
        do {
            try conclude(active, file)
        } catch let error as JobsError where error.code == .unsettled {
            // The leader may have been told of the records. Where it was not, they go with the job's other parts.
            runner.logger.warning(
                "it is not known whether a part was handed in", metadata: runner.metadata(active, error))
        } catch {
            runner.logger.warning("part of a job left to its leader", metadata: runner.metadata(active, error))
            giveUp(active, file)
        }
    }

    /// The leader keeps the frames of a job that is canceled.
    private func conclude(_ active: ActiveJob, _ file: ResultFile?) throws {
        switch active.interruption {
        case nil, .canceled, .deadline:
            guard let file else { return }
            try file.commit()
            let outcome = JobOutcome(status: .succeeded, progress: active.progress, resultKey: file.key)
            guard try runner.store.publish(outcome, lease: active.lease) else { return remove(file, active) }
        case .stopping:
            file.map { remove($0, active) }
            _ = try runner.store.release(active.lease)
        case .leaseLost: file.map { remove($0, active) }
        }
    }

    private func giveUp(_ active: ActiveJob, _ file: ResultFile?) {
        file.map { remove($0, active) }
        do {
            _ = try runner.store.publish(JobOutcome(status: .failed, progress: active.progress), lease: active.lease)
        } catch {
            // Its lease runs out.
            runner.logger.error("part of a job could not be given up", metadata: runner.metadata(active, error))
        }
    }

    private func remove(_ file: ResultFile, _ active: ActiveJob) {
        file.abort()
        do {
            try runner.blobs.remove(file.key)
        } catch {
            runner.logger.warning("blob could not be removed", metadata: runner.metadata(active, error))
        }
    }
}
