import Jobs

/// A job's NDJSON result while it grows, up to the job's end, or to the last frame that is wanted.
struct FollowFeed: JobFeed {
    static let preamble: [UInt8] = []
    /// There is none in NDJSON.
    static let sign: [UInt8] = []
    /// A result that ends looks whole.
    static let mayBreakOff = false

    private var cursor = ResultCursor()
    private var encoder: ResultEncoder
    /// Lines that went through the encoder.
    private var lines = 0

    /// - Parameter encoder: of the format `ndjson`.
    init(_ encoder: ResultEncoder) { self.encoder = encoder }

    mutating func append(_ seen: WatchedJob.Snapshot, to bytes: inout [UInt8]) throws -> Bool {
        guard let job = seen.job else { throw RequestContext.noSuchJob }
        guard seen.isResultKnown else { return false }
        guard let reader = try seen.result(of: job) else { return job.status.isFinal }
        while bytes.isEmpty {
            guard let piece = try cursor.next(from: reader) else { return job.status.isFinal }
            for line in piece.lines where line.number >= lines {
                lines = line.number + 1
                guard try encoder.append(line: line.bytes, into: &bytes) else { return true }
            }
        }
        return false
    }
}
