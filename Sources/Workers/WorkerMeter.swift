import Jobs

/// What a pool measures of its work, for monitoring. Called on the workers' threads, for every frame: an implementation
/// adds to counters, and neither blocks nor locks.
public protocol WorkerMeter: Sendable {
    /// A job was claimed, so long after it was submitted (or queued again: counted from its submission all the same).
    func jobStarted(waited: Duration)
    /// A job's end was published, so long after its claim.
    func jobEnded(_ status: JobStatus, ran: Duration)
    /// - Parameter times: since the call before.
    func tracked(frames: Int, _ times: FrameTimes)
    /// A decoder died, and its job starts over.
    func decoderRestarted()
}

/// Measures nothing.
public struct NoWorkerMeter: WorkerMeter {
    public init() {}
    public func jobStarted(waited: Duration) {}
    public func jobEnded(_ status: JobStatus, ran: Duration) {}
    public func tracked(frames: Int, _ times: FrameTimes) {}
    public func decoderRestarted() {}
}

/// Where the time of a run went.
public struct FrameTimes: Hashable, Sendable {
    /// Waiting for the decoder, its start included. Near zero where tracking is the slower of the two.
    public var decodeWait = Duration.zero
    public var track = Duration.zero
    /// Encoding records, writing them and telling others of them.
    public var write = Duration.zero

    public init() {}
}
