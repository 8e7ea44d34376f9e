/// A share of a running job's targets: what one worker follows while others follow the rest.
public struct JobPart: Hashable, Sendable {
    /// Counts from 0 within its job.
    public var number: Int
    /// Indices into the spec's targets.
    public var targets: Range<Int>

    public init(number: Int, targets: Range<Int>) {
        self.number = number
        self.targets = targets
    }

    /// Shares of about the same size, none larger than `size`, in the order of the targets.
    public static func shares(of targets: Int, atMost size: Int) -> [JobPart] {
        let count = (targets + size - 1) / size
        return (0..<count).map { number in
            JobPart(number: number, targets: targets * number / count..<targets * (number + 1) / count)
        }
    }
}

/// A part that was offered, as the leader sees it.
public struct OfferedPart: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        /// Nobody works on it: not taken yet, given up, or its lease has run out.
        case open
        case taken
        /// Its records are under this key.
        case done(resultKey: String)
    }

    public var part: JobPart
    public var state: State
    public var framesDone: Int

    public init(part: JobPart, state: State, framesDone: Int) {
        self.part = part
        self.state = state
        self.framesDone = framesDone
    }
}

/// A part that a worker has taken from a job that another one leads, and its right to work on it.
public struct ClaimedPart: Sendable {
    /// As its leader runs it.
    public var job: Job
    public var part: JobPart
    /// Of the part: ``Lease/part`` is its number.
    public var lease: Lease

    public init(job: Job, part: JobPart, lease: Lease) {
        self.job = job
        self.part = part
        self.lease = lease
    }
}

/// Running jobs whose targets are shared out among workers, on this machine or others.
///
/// The worker that claimed a job leads it: it offers parts, follows what nobody takes, puts the results together and
/// publishes the job, as if it had done all of it. A part has a lease of its own, which ``JobStore/heartbeat``,
/// ``JobStore/status(of:)``, ``JobStore/release(_:)`` and ``JobStore/publish(_:lease:)`` take like a job's. Parts are
/// gone as soon as their leader's lease is: who works on one finds its lease lost.
public protocol JobParts: Sendable {
    /// Lets other workers take parts of a job. `false` where the lease is lost.
    ///
    /// - Parameter lease: of the job.
    func offer(_ parts: [JobPart], lease: Lease) throws -> Bool

    /// Takes a part that nobody works on, of the oldest job that offers one. `nil` where there is none.
    ///
    /// A part whose workers were lost three times, or that one of them could not do, is left to its leader.
    func claimPart(owner: String, leaseSeconds: Double) throws -> ClaimedPart?

    /// Gives open parts back to the leader, who does them itself; in the order of their numbers. None where the lease is
    /// lost.
    ///
    /// - Parameter lease: of the job.
    func takeBack(atMost count: Int, lease: Lease) throws -> [JobPart]

    /// What was offered and not taken back, by number. None where the lease is lost.
    ///
    /// - Parameter lease: of the job.
    func offeredParts(lease: Lease) throws -> [OfferedPart]
}
