import Foundation
import Jobs
import Media

/// How a ``WorkerPool`` works.
public struct WorkerConfiguration: Sendable {
    /// Jobs that run at the same time, each on a thread of its own; at least 1.
    public var workers: Int
    /// How long a job stays with a worker that gives no sign of life; at least 1.
    public var leaseSeconds: Double
    /// A job of more targets is offered to other workers in parts of up to as many; 0: none is. Each part decodes the
    /// source again.
    public var partTargets: Int
    public var limits: DecodeLimits
    public var storage = StorageLimits()
    public var decoder: DecoderCommand
    /// How often an idle worker looks for jobs of other processes, in seconds.
    public var pollSeconds: Double
    /// How often cancellations and deadlines are looked at, in seconds.
    public var watchSeconds: Double
    /// How often results are made readable for `?partial=true`, in seconds.
    public var flushSeconds: Double
    /// Whether other machines write to the same blobs: then those without a job may be another's upload, however old, and a
    /// start leaves them to an ``OrphanSweeper``.
    public var sharesBlobs = false
    /// Of the threads that follow targets, beyond that of this process.
    var niceness: Int32 = 0

    public init(
        workers: Int = ProcessInfo.processInfo.activeProcessorCount, leaseSeconds: Double = 30,
        partTargets: Int = 0,
        limits: DecodeLimits = DecodeLimits(), decoder: DecoderCommand = .current, pollSeconds: Double = 1,
        watchSeconds: Double = 0.25, flushSeconds: Double = 0.5
    ) {
        self.workers = workers
        self.leaseSeconds = leaseSeconds
        self.partTargets = partTargets
        self.limits = limits
        self.decoder = decoder
        self.pollSeconds = pollSeconds
        self.watchSeconds = watchSeconds
        self.flushSeconds = flushSeconds
    }

    /// A lease is renewed this many times before it would run out.
    static let renewalsPerLease = 3.0
    /// The progress of a job is stored no more often, in seconds.
    static let progressSeconds = 1.0
}

/// What a pool tells those who watch it (tests, events for clients). Called on the worker's thread unless said
/// otherwise.
public enum WorkerEvent: Hashable, Sendable {
    case claimed(JobID, attempt: Int)
    /// A frame's record was appended to the result.
    case tracked(JobID, frame: Int)
    /// Records of the result that were appended can be read by others now.
    case flushed(JobID)
    /// The job's progress was stored. Called on the thread that keeps the leases.
    case progressed(JobID)
    /// The job is told to stop. Called on the thread that tells it.
    case interrupted(JobID)
    /// The decoder died and the job starts over.
    case decoderRestarted(JobID)
    /// Other workers may follow parts of the job.
    case offered(JobID, parts: Int)
    /// A part of a job was taken by a worker of this pool.
    case partClaimed(JobID, part: Int)
    /// The part is done, given back or given up.
    case partEnded(JobID, part: Int)
    /// The job's end was published. Called on the thread that keeps the leases where its deadline passed in the queue.
    case ended(JobID, JobStatus)
    /// The job went back to the queue unharmed.
    case released(JobID)
    /// The lease was lost, and nothing was published.
    case abandoned(JobID)
}
