import Jobs
import Logging

/// Ends canceled jobs whose workers are gone before they could, with the frames that those left: a canceled job keeps what
/// it has.
public struct CanceledJobs: Sendable {
    private let store: any JobStore
    private let blobs: any BlobStore
    private let logger: Logger

    public init(store: any JobStore, blobs: any BlobStore, logger: Logger) {
        self.store = store
        self.blobs = blobs
        self.logger = logger
    }

    /// Those of processes that are dead. To be called before unfinished blobs of dead processes are removed. Blocks.
    ///
    /// - Throws: the store's errors.
    public func endThose(ofDead owners: OwnerRegistry) throws {
        for owner in owners.dead() { _ = try endThose(ofOwner: owner) }
    }

    /// - Parameters:
    ///   - owner: `nil`: those whose lease has run out.
    ///   - isWanted: asked while a result is copied; without it, that job is left as it is.
    /// - Returns: the jobs that were ended.
    /// - Throws: the store's errors, and `CancellationError` where it is wanted no more.
    func endThose(ofOwner owner: String?, isWanted: () -> Bool = { true }) throws -> [JobID] {
        try store.canceledWithoutWorker(owner: owner).compactMap { claimed in
            let outcome = try outcome(of: claimed.job, isWanted)
            guard try store.publish(outcome, lease: claimed.lease) else {
                if let kept = outcome.resultKey { removeUnpublished(kept, of: claimed.job) }
                return nil
            }
            removeBlobs(of: claimed.job, but: outcome.resultKey)
            return claimed.job.id
        }
    }

    /// What was kept for a job that somebody else has ended, or deleted, meanwhile. Not what that one published:
    /// another process that found the same job kept its frames under the same name.
    private func removeUnpublished(_ kept: String, of job: Job) {
        do {
            guard try store.stored(job.id, tenant: job.tenant)?.withoutSpec.resultKey != kept else { return }
            try blobs.remove(kept)
        } catch {
            logger.warning(
                "blobs of a canceled job could not be removed",
                metadata: ["job": .string(job.id.description), "error": .string("\(error)")])
        }
    }

    /// Whatever its attempts finished. The source stays.
    private func removeBlobs(of job: Job, but kept: String?) {
        do {
            for name in try blobs.children(of: job.id.blobPrefix) {
                let key = "\(job.id.blobPrefix)/\(name)"
                if key != job.id.sourceKey, key != kept { try blobs.remove(key) }
            }
        } catch {
            logger.warning(
                "blobs of a canceled job could not be removed",
                metadata: ["job": .string(job.id.description), "error": .string("\(error)")])
        }
    }

    private func outcome(of job: Job, _ isWanted: () -> Bool) throws -> JobOutcome {
        var outcome = JobOutcome(status: .canceled, progress: job.progress)
        outcome.progress.framesDone = 0
        do {
            guard let kept = try keep(job, isWanted) else { return outcome }
            outcome.resultKey = kept.key
            outcome.progress.framesDone = kept.frames
            outcome.storedBytes = try blobs.bytes(of: [kept.key])
        } catch let error as CancellationError {
            throw error
        } catch {
            logger.warning(
                "partial result could not be kept",
                metadata: ["job": .string(job.id.description), "error": .string("\(error)")])
        }
        return outcome
    }

    /// Copies the whole lines of what the worker made readable; `nil` where there are none.
    private func keep(_ job: Job, _ isWanted: () -> Bool) throws -> (key: String, frames: Int)? {
        let written = job.id.resultKey(attempt: job.attempt)
        guard let reader = try blobs.openPartial(written) ?? blobs.open(written) else { return nil }
        let key = job.id.keptResultKey(attempt: job.attempt)
        let writer = try blobs.create(key)
        var lines = BlobLines(reader)
        var frames = 0
        while let line = try lines.next() {
            guard isWanted() else {
                writer.abort()
                throw CancellationError()
            }
            try (line + [UInt8(ascii: "\n")]).withUnsafeBytes(writer.write)
            frames += 1
        }
        guard frames > 0 else {
            writer.abort()
            return nil
        }
        _ = try writer.commit()
        return (key, frames)
    }
}
