import Jobs

/// How far a watcher has come: the id of an event. All that follows an event is made of the job's row and its result, so a
/// replay gives the same events, whoever asks, whatever was restarted meanwhile.
package struct EventPosition: Hashable, Sendable, CustomStringConvertible {
    /// The state that was told last.
    enum Stage: Hashable, Sendable {
        /// None yet.
        case start
        /// After so many attempts.
        case queued(Int)
        /// The attempt.
        case running(Int)
        /// The job has ended, and its `status` was told, but not its `end`.
        case ended
        /// `end` was told: nothing follows.
        case over
    }

    var stage = Stage.start
    /// The `frames_done` that was told last.
    var progress = 0
    /// Frames that were told: lines of the result.
    var frames = 0

    init() {}

    /// `r1-120-118`. A text that a client made up is `nil`: it gets everything from the start.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let stage = Stage(parts[0]), let progress = Self.number(parts[1]),
            let frames = Self.number(parts[2])
        else { return nil }
        (self.stage, self.progress, self.frames) = (stage, progress, frames)
    }

    /// Whether a client of this job can have come to this stage: not where the id is made up, or of a life of the job that
    /// a restored backup knows nothing of.
    func isPossible(for job: Job) -> Bool {
        switch stage {
        case .start: true
        case .queued(let attempts): attempts <= job.attempt
        // Given back unharmed, an attempt does not count.
        case .running(let attempt):
            attempt <= job.attempt || (attempt == job.attempt + 1 && job.status != .running)
        case .ended, .over: job.status.isFinal
        }
    }

    /// Whether a client of this job cannot have so many frames, where the result has fewer so far. Not where the job runs and
    /// may have been started over: then the client waits until the result is as long again.
    func hasTooManyFrames(for job: Job) -> Bool {
        job.status == .succeeded || job.progress.framesTotal.map { frames > $0 } ?? false
    }

    package var description: String { "\(stage.text)-\(progress)-\(frames)" }

    /// Decimal digits without a sign; what is larger than any number of frames is none.
    static func number(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 15, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}

extension EventPosition.Stage {
    fileprivate init?(_ text: some StringProtocol) {
        switch text {
        case "ended": self = .ended
        case "over": self = .over
        default:
            guard let attempt = EventPosition.number(text.dropFirst()), attempt <= Self.mostAttempts else { return nil }
            switch text.first {
            case "q": self = .queued(attempt)
            case "r" where attempt > 0: self = .running(attempt)
            default: return nil
            }
        }
    }

    fileprivate var text: String {
        switch self {
        case .start: "start"
        case .queued(let attempts): "q\(attempts)"
        case .running(let attempt): "r\(attempt)"
        case .ended: "ended"
        case .over: "over"
        }
    }

    /// More than a queue allows: a number in an id is no reason to count for long.
    private static let mostAttempts = 1000

    /// The place in `queued → running → queued → running …`, where a job passes through each; `nil` off that way.
    private var number: Int? {
        switch self {
        case .start: -1
        case .queued(let attempts): 2 * attempts
        case .running(let attempt): 2 * attempt - 1
        case .ended, .over: nil
        }
    }

    private init(number: Int) { self = number % 2 == 0 ? .queued(number / 2) : .running((number + 1) / 2) }

    /// The states before its end that a job went through from here to what it is now. A state that a watcher slept
    /// through is told all the same.
    func path(to job: Job) -> [Self] {
        guard let here = number else { return [] }
        let there: Int
        switch job.status {
        case .queued: there = 2 * job.attempt
        // How it came to its end from the last attempt: from `running`, or canceled before there was one.
        default: there = max(0, 2 * job.attempt - 1)
        }
        if there > here { return (here + 1...there).map(Self.init(number:)) }
        // Given back unharmed: that attempt does not count. An end follows from any state.
        return there < here && !job.status.isFinal ? [Self(number: there)] : []
    }

    /// What `status` says of it.
    var told: (status: JobStatus, attempt: Int)? {
        switch self {
        case .queued(let attempts): (.queued, attempts)
        case .running(let attempt): (.running, attempt)
        case .start, .ended, .over: nil
        }
    }
}
