/// Queued jobs that have reached their deadlines, as many as one sweep is to end: messages about jobs' ends hold their
/// specs, and are made in the transactions that end them, in which others wait. The next sweep goes on.
public struct OverdueJobs: Sendable {
    /// Jobs of one transaction each, in the order of their deadlines.
    public private(set) var batches: [[JobID]] = []
    private var batchBytes = 0
    private var allBytes = 0

    /// How many are looked at.
    public static let most = 1000
    /// Bytes of specs in a transaction, which take about a twentieth of a second, and in a sweep. One job is always taken.
    static let bytesOfBatch = 256 * 1024
    static let bytesOfSweep = 3 << 20

    public init() {}

    /// - Returns: `false` where it is to be left to the next sweep, with all that come after it.
    public mutating func add(_ id: JobID, specBytes: Int) -> Bool {
        guard batches.isEmpty || allBytes + specBytes <= Self.bytesOfSweep else { return false }
        if batches.isEmpty || batchBytes + specBytes > Self.bytesOfBatch {
            batches.append([])
            batchBytes = 0
        }
        batches[batches.count - 1].append(id)
        batchBytes += specBytes
        allBytes += specBytes
        return true
    }
}
