import Media

/// Shares a run's time out among the stages of its frames. Used by one thread.
final class StageClock {
    enum Stage { case decodeWait, track, write }

    private var last = ContinuousClock.now
    private var times = FrameTimes()

    /// The time since the call before, or since the clock was made, belongs to a stage.
    func charge(_ stage: Stage) {
        let now = ContinuousClock.now
        let elapsed = now - last
        last = now
        switch stage {
        case .decodeWait: times.decodeWait += elapsed
        case .track: times.track += elapsed
        case .write: times.write += elapsed
        }
    }

    /// What was charged since the call before.
    func take() -> FrameTimes {
        defer { times = FrameTimes() }
        return times
    }
}

/// A source that charges the wait for its frames.
final class TimedSource: FrameSource, @unchecked Sendable {
    // @unchecked Sendable: as any source, confined to one thread but for ``cancel()``, which does not touch the clock.
    private let source: any FrameSource
    private let clock: StageClock

    init(_ source: any FrameSource, _ clock: StageClock) {
        self.source = source
        self.clock = clock
    }

    var info: SourceInfo { source.info }

    func next() throws(MediaError) -> Frame? {
        defer { clock.charge(.decodeWait) }
        return try source.next()
    }

    func cancel() { source.cancel() }
}
