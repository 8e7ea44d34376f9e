import Jobs
import Logging
import Media

/// Runs one job from its claim to its end.
struct JobRunner: Sendable {
    /// Decoders that may die before the job fails.
    private static let decoderStarts = 2
    /// Bytes under which a fault of the service is put down to the disk.
    private static let leastSpace: Int64 = 1 << 20

    let store: any JobStore
    let blobs: any BlobStore
    var configuration: WorkerConfiguration
    let logger: Logger
    let meter: any WorkerMeter
    let onEvent: @Sendable (WorkerEvent) -> Void

    var renderer: JobRenderer {
        JobRenderer(
            blobs: blobs, limits: configuration.limits, storage: configuration.storage, decoder: configuration.decoder)
    }

    /// Returns when the job is published, released or given up. Blocks for as long as the job runs.
    func run(_ active: ActiveJob) {
        var result: ResultFile?
        removeFormerAttempts(active)
        do {
            let wasStopped =
                LedRun.isFor(active.job, configuration)
                ? try LedRun(self, active).run(&result) : try trackAll(active, &result)
            if wasStopped { return conclude(interrupted: active, result) }
            try result?.commit()
            active.completeProgress()
            // A video may take long.
            onEvent(.flushed(active.job.id))
            let video = try VideoPasses(runner: self, active: active).run()
            end(
                active,
                JobOutcome(status: .succeeded, progress: active.progress, resultKey: result?.key, videoKey: video))
        } catch {
            if active.interruption != nil { return conclude(interrupted: active, result) }
            fail(active, error, result)
        }
    }

    // MARK: Tracking

    /// Tracks the source; once more from the start where its decoder dies.
    private func trackAll(_ active: ActiveJob, _ result: inout ResultFile?) throws -> Bool {
        try restartingDecoder(active) {
            result?.abort()
            let file = try resultFile(active)
            result = file
            let run = TrackingRun(active.job.spec, niceness: configuration.niceness)
            return try pass(active, run, begin: { active.beginTracking(framesTotal: $0) }) { record in
                let isReadable = try file.append(record)
                active.countFrame()
                onEvent(.tracked(active.job.id, frame: record.frame))
                if isReadable { onEvent(.flushed(active.job.id)) }
            }.wasStopped
        }
    }

    func resultFile(_ active: ActiveJob) throws -> ResultFile {
        try ResultFile(
            blobs, key: active.job.id.resultKey(attempt: active.job.attempt), limits: configuration.storage,
            flushSeconds: configuration.flushSeconds)
    }

    /// Runs `body` again where a decoder died in it, with a new decoder.
    func restartingDecoder<T>(_ active: ActiveJob, _ body: () throws -> T) throws -> T {
        for _ in 1..<Self.decoderStarts {
            do {
                return try body()
            } catch let error as MediaError where error.code == .decoderCrashed && active.interruption == nil {
                logger.warning("decoder died, starting over", metadata: metadata(active, error))
                meter.decoderRestarted()
                onEvent(.decoderRestarted(active.job.id))
            }
        }
        return try body()
    }

    /// Takes a run's targets through the source once, from its start, until the end or an interruption.
    ///
    /// - Parameters:
    ///   - begin: told of the number of frames, where the source knows it, before the first.
    ///   - sink: takes each frame's record.
    func pass(
        _ active: ActiveJob, _ run: TrackingRun, begin: (Int?) -> Void, sink: (FrameRecord) throws -> Void
    ) throws -> TrackingSummary {
        let clock = StageClock()
        let source = try open(active, run.decodeRequest(limits: configuration.limits))
        defer { source.close() }
        clock.charge(.decodeWait)
        defer { meter.tracked(frames: 0, clock.take()) }
        if active.lease.part == nil { try describe(source.info, active) }
        begin(run.frameCount(in: source.info))
        return try run.track(
            TimedSource(source, clock), shouldStop: { active.interruption != nil }
        ) { record in
            clock.charge(.track)
            try sink(record)
            clock.charge(.write)
            meter.tracked(frames: 1, clock.take())
        }
    }

    func open(_ active: ActiveJob, _ request: DecodeRequest) throws -> DecoderProcess {
        try renderer.open(active.job.source, request, active.cancellation)
    }

    private func describe(_ info: SourceInfo, _ active: ActiveJob) throws {
        var source = active.job.source
        source.width = info.width
        source.height = info.height
        source.frameRate = info.frameRate
        source.codec = info.codec
        source.frameCount = info.frameCount
        if try source != active.job.source && !store.describeSource(source, lease: active.lease) {
            active.interrupt(.leaseLost)
        }
    }

    // MARK: Endings

    private func conclude(interrupted active: ActiveJob, _ result: ResultFile?) {
        switch active.interruption {
        case .canceled: endEarly(active, .canceled, nil, result)
        case .deadline: endEarly(active, .failed, .deadlineExceeded, result)
        case .stopping: release(active, result)
        case .leaseLost, nil:
            result?.abort()
            abandon(active)
        }
    }

    private func fail(_ active: ActiveJob, _ error: any Error, _ result: ResultFile?) {
        if let error = error as? JobsError, error.isOutage || error.code == .busy {
            // Nothing is wrong with the job: it waits until the stores answer again.
            logger.error("a job waits, because a store does not answer", metadata: metadata(active, error))
            release(active, result)
            // A lost lease does not end this: one that was released is lost.
            return active.wait(seconds: configuration.pollSeconds) { active.isPoolStopping }
        }
        var failure = JobFailure(error)
        if failure.code == .internalError && isDiskFull { failure = .storageFull }
        if failure.code == .internalError || failure.code == .storageFull {
            logger.error("job failed by a fault of the service", metadata: metadata(active, error))
        }
        endEarly(active, .failed, failure, result)
    }

    /// Neither an encoder nor a decoder's start says why it could not write.
    private var isDiskFull: Bool {
        guard let available = try? blobs.makeRoom(for: Self.leastSpace) else { return false }
        return available < Self.leastSpace
    }

    /// Keeps the frames that there are, where they can be stored.
    private func endEarly(_ active: ActiveJob, _ status: JobStatus, _ failure: JobFailure?, _ result: ResultFile?) {
        var outcome = JobOutcome(status: status, failure: failure, progress: active.progress)
        do {
            outcome.resultKey = try keep(result, active)
        } catch {
            logger.warning("partial result could not be kept", metadata: metadata(active, error))
        }
        end(active, outcome)
    }

    /// The key of what there is; `nil` where there is nothing.
    private func keep(_ result: ResultFile?, _ active: ActiveJob) throws -> String? {
        guard let result, active.progress.framesDone > 0 else {
            result?.abort()
            return nil
        }
        try result.commit()
        return result.key
    }

    private func end(_ active: ActiveJob, _ outcome: JobOutcome) {
        var outcome = outcome
        outcome.storedBytes = storedBytes(active, outcome)
        switch publish(active, outcome) {
        case .published: break
        case .refused: return abandon(active)
        case .undecided: return leave(active)
        }
        // Also what those handed in late who helped with a job that was stopped.
        removeParts(active)
        var metadata = metadata(active, outcome.failure)
        metadata["status"] = .string(outcome.status.rawValue)
        metadata["frames"] = .stringConvertible(outcome.progress.framesDone)
        metadata["frames_per_second"] = .stringConvertible(outcome.progress.framesPerSecond.rounded())
        logger.info("job ended", metadata: metadata)
        meter.jobEnded(outcome.status, ran: active.age)
        onEvent(.ended(active.job.id, outcome.status))
    }

    /// Of the result, and of all videos that were made, also where a later one failed.
    private func storedBytes(_ active: ActiveJob, _ outcome: JobOutcome) -> Int64 {
        do {
            return try blobs.bytes(of: VideoPasses.keys(active.job) + [outcome.resultKey].compactMap { $0 })
        } catch {
            logger.warning("what a job keeps could not be counted", metadata: metadata(active, error))
            return 0
        }
    }

    private enum Publication {
        case published
        /// The lease is lost.
        case refused
        /// It may be published, or is to be with what there is, by somebody else; the time to try again is over.
        case undecided
    }

    /// Publishes in one transaction; tries again while the lease is kept, because the work is done and only its record
    /// is missing.
    private func publish(_ active: ActiveJob, _ outcome: JobOutcome) -> Publication {
        var mayBePublished = false
        var hasRenewed = false
        while true {
            do {
                if try store.publish(outcome, lease: active.lease) { return .published }
                guard !hasRenewed, try renew(active) else { return .refused }
                hasRenewed = true
            } catch {
                logger.error("outcome could not be published", metadata: metadata(active, error))
                mayBePublished = mayBePublished || (error as? JobsError)?.code == .unsettled
                if active.isTimeOver {
                    // A canceled job is ended by whoever finds it, and keeps its frames (``CanceledJobs``).
                    return mayBePublished || outcome.status == .canceled ? .undecided : .refused
                }
                active.wait(seconds: configuration.pollSeconds) { active.isTimeOver }
            }
        }
    }

    /// Renews a lease that is over by the clock that counts it, where that was set forward: by the one that nobody sets
    /// it is not. Returns whether it is held.
    private func renew(_ active: ActiveJob) throws -> Bool {
        let now = ContinuousClock.now
        guard !active.isTimeOver, now - active.renewed < .seconds(configuration.leaseSeconds) else { return false }
        return try active.renew(in: store, seconds: configuration.leaseSeconds, at: now) != .lost
    }

    /// What this attempt made stays: the job may have ended with it, or will. Where it is tried again, the next attempt
    /// removes it.
    private func leave(_ active: ActiveJob) {
        removeParts(active)
        logger.warning("it is left open whether the outcome was published", metadata: metadata(active, nil))
        onEvent(.abandoned(active.job.id))
    }

    private func release(_ active: ActiveJob, _ result: ResultFile?) {
        do {
            // A client that wants it no more need not wait for the next start, and gets the frames.
            if try store.status(of: active.lease) == .cancelRequested {
                return endEarly(active, .canceled, nil, result)
            }
            result?.abort()
            removeBlobs(active)
            guard try store.release(active.lease) else { return abandon(active) }
            logger.info("job released", metadata: metadata(active, nil))
            onEvent(.released(active.job.id))
        } catch {
            logger.error("job could not be released", metadata: metadata(active, error))
        }
    }

    /// The lease is lost: what this attempt made goes, and everything where the job was deleted.
    private func abandon(_ active: ActiveJob) {
        removeBlobs(active)
        do {
            if try store.exists(active.job.id) {
                logger.warning("lease lost, nothing published", metadata: metadata(active, nil))
            } else {
                logger.info("job deleted", metadata: metadata(active, nil))
                try blobs.remove(active.job.id.blobPrefix)
            }
        } catch {
            logger.warning("blobs of a lost job could not be removed", metadata: metadata(active, error))
        }
        onEvent(.abandoned(active.job.id))
    }

    func metadata(_ active: ActiveJob, _ error: (any Error)?) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "job": .string(active.job.id.description), "attempt": .stringConvertible(active.job.attempt),
        ]
        if let part = active.lease.part { metadata["part"] = .stringConvertible(part) }
        if let trace = active.job.traceID { metadata["trace_id"] = .string(trace) }
        if let error { metadata["error"] = .string("\(error)") }
        return metadata
    }
}
