import Jobs
import Logging
import Media

/// Leads a job with many targets: offers parts of them to other workers, follows those that nobody takes, and puts all
/// records together as one worker would have written them.
///
/// While it runs the job has progress, but no frames to look at: those come when the parts are put together.
final class LedRun {
    /// How long the others may take to hand in what they have when the job is stopped, in seconds.
    private static let stopSeconds = 0.7
    /// How often the others' progress is looked at, in seconds.
    private static let lookSeconds = 0.1

    private let runner: JobRunner
    private let active: ActiveJob
    /// Keys of finished parts' records, by the parts' numbers.
    private var keys: [Int: String] = [:]
    private var progress: SharedProgress

    init(_ runner: JobRunner, _ active: ActiveJob) {
        self.runner = runner
        self.active = active
        progress = SharedProgress(targets: active.job.spec.targets.count)
    }

    /// Whether a job is worth it: it has more targets than one part would.
    static func isFor(_ job: Job, _ configuration: WorkerConfiguration) -> Bool {
        configuration.partTargets > 0 && job.spec.targets.count > configuration.partTargets
    }

    /// Follows all targets.
    ///
    /// - Parameter result: holds what there is, also where this throws.
    /// - Returns: whether it was stopped before the end.
    func run(_ result: inout ResultFile?) throws -> Bool {
        var failure: (any Error)?
        var wasStopped = true
        do {
            wasStopped = try followAll()
        } catch {
            failure = error
        }
        if wasStopped { collect() }
        do {
            try merge(&result)
        } catch {
            throw failure ?? error
        }
        if let failure { throw failure }
        return wasStopped
    }

    // MARK: Following

    private func followAll() throws -> Bool {
        let parts = JobPart.shares(of: active.job.spec.targets.count, atMost: runner.configuration.partTargets)
        var own = offer(Array(parts.dropFirst())) ? [parts[0]] : parts
        while true {
            if !own.isEmpty, try follow(own) { return true }
            own = []
            if keys.count < parts.count, let offered = look() {
                // Only where the lease is lost are there neither parts nor records.
                if offered.isEmpty && keys.count < parts.count { active.interrupt(.leaseLost) }
                own = takeBack(offered)
                own += lost(parts, offered, own)
            }
            if active.interruption != nil { return true }
            if keys.count == parts.count { return false }
            if own.isEmpty { active.wait(seconds: Self.lookSeconds) { active.interruption != nil } }
        }
    }

    private func offer(_ parts: [JobPart]) -> Bool {
        guard let isHeld = asked({ try runner.store.offer(parts, lease: active.lease) }) else { return false }
        if isHeld {
            runner.onEvent(.offered(active.job.id, parts: parts.count))
        } else {
            active.interrupt(.leaseLost)
        }
        return isHeld
    }

    /// As many of the open parts as are this worker's share, if those who help go on helping.
    private func takeBack(_ offered: [OfferedPart]) -> [JobPart] {
        let open = offered.count { $0.state == .open }
        let helpers = offered.count { $0.state == .taken }
        guard open > 0 else { return [] }
        let share = (open + helpers) / (helpers + 1)
        return asked { try runner.store.takeBack(atMost: share, lease: active.lease) } ?? []
    }

    /// Parts that nobody has any more: they were taken back, and the answer that said so was lost.
    private func lost(_ parts: [JobPart], _ offered: [OfferedPart], _ own: [JobPart]) -> [JobPart] {
        let known = Set(offered.map(\.part.number) + own.map(\.number))
        return parts.filter { keys[$0.number] == nil && !known.contains($0.number) }
    }

    /// What the store answers; `nil` where it cannot, for the moment: the lease tells when that lasts too long.
    private func asked<T>(_ body: () throws -> T) -> T? {
        do {
            return try body()
        } catch {
            runner.logger.warning("parts of a job could not be looked at", metadata: runner.metadata(active, error))
            return nil
        }
    }

    /// Follows parts in one pass through the source. Returns whether it was stopped before the end; what there is of
    /// them by then is kept.
    private func follow(_ parts: [JobPart]) throws -> Bool {
        let targets = parts.flatMap(\.targets)
        let run = TrackingRun(active.job.spec, targets: targets, niceness: runner.configuration.niceness)
        var files: [PartFile] = []
        do {
            let wasStopped = try runner.restartingDecoder(active) {
                for file in files { file.records.abort() }
                files = []
                files = try parts.map { try PartFile($0, active, runner) }
                var frames = 0
                // As in one piece, so that the job passes or fails as it would there.
                var (meter, bytes) = (StorageMeter(runner.blobs, runner.configuration.storage), Int64(0))
                return try runner.pass(active, run, begin: begin) { record in
                    for file in files { try file.append(record) }
                    bytes += Int64(try RecordMerger.mergedCount(of: files.lazy.map(\.records.line)))
                    try meter.check(bytes)
                    frames += 1
                    progress.own(frames: frames, targets: targets.count)
                    if progress.isLookDue { _ = look() }
                    active.count(frames: progress.frames)
                    runner.onEvent(.tracked(active.job.id, frame: record.frame))
                }.wasStopped
            }
            for file in files { try keep(file) }
            progress.ownPassEnded()
            return wasStopped
        } catch {
            for file in files { try? keep(file) }
            throw error
        }
    }

    private func keep(_ file: PartFile) throws {
        try file.records.commit()
        keys[file.part.number] = file.records.key
    }

    private func begin(framesTotal: Int?) {
        if progress.frames == 0 { active.beginTracking(framesTotal: framesTotal) }
    }

    /// Looks at what the others have done.
    private func look() -> [OfferedPart]? {
        guard let offered = asked({ try runner.store.offeredParts(lease: active.lease) }) else { return nil }
        for part in offered {
            if case .done(let key) = part.state { keys[part.part.number] = key }
        }
        progress.others(offered)
        active.count(frames: progress.frames)
        return offered
    }

    /// Waits, but not long, until those who work on a job that is stopped have handed in what they have.
    private func collect() {
        guard active.interruption == .canceled || active.interruption == .deadline else { return }
        let deadline = ContinuousClock.now + .seconds(Self.stopSeconds)
        while active.interruption != .leaseLost, ContinuousClock.now < deadline,
            let offered = look(), offered.contains(where: { $0.state == .taken })
        {
            active.wait(seconds: Self.lookSeconds / 2) { active.interruption == .leaseLost }
        }
    }

    // MARK: The result

    private func merge(_ result: inout ResultFile?) throws {
        guard active.interruption != .leaseLost, active.interruption != .stopping else { return }
        let file = try runner.resultFile(active)
        result = file
        let readers = try keys.sorted { $0.key < $1.key }.map { _, key in
            guard let reader = try runner.blobs.open(key) else {
                throw JobsError(.io, "the records \(key) of a part of the job are gone")
            }
            return reader
        }
        var merger = RecordMerger(readers)
        var frames = 0
        defer { active.count(frames: frames) }
        while let line = try merger.next() {
            if try file.append(line) { runner.onEvent(.flushed(active.job.id)) }
            frames += 1
        }
    }
}

/// A part's records while they are made. Used by one thread.
private struct PartFile {
    let part: JobPart
    let records: ResultFile
    private let targets: Set<String>

    init(_ part: JobPart, _ active: ActiveJob, _ runner: JobRunner) throws {
        self.part = part
        records = try ResultFile(
            runner.blobs,
            key: active.job.id.partKey(attempt: active.job.attempt, part: part.number, token: active.lease.token),
            limits: runner.configuration.storage)
        targets = Set(active.job.spec.targets[part.targets].map(\.id))
    }

    func append(_ record: FrameRecord) throws {
        var own = record
        own.targets.removeAll { !targets.contains($0.id) }
        try records.append(own)
    }
}
