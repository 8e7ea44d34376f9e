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
    /// The first frame that did not go through the encoder and is to.
    private var nextFrame: Int
    /// Whether that one is not near: to be jumped to, which takes many small reads.
    private var isFar = false

    /// - Parameter encoder: of the format `ndjson`.
    init(_ encoder: ResultEncoder) {
        self.encoder = encoder
        nextFrame = encoder.slice.from ?? 0
    }

    mutating func append(
        _ seen: WatchedJob.Snapshot, to bytes: inout [UInt8], obstacle: (Job) -> FeedStep?
    ) throws -> FeedStep {
        guard let job = seen.job else { throw RequestContext.noSuchJob }
        guard seen.isResultKnown else { return .waits }
        guard let reader = try seen.result(of: job) else { return job.status.isFinal ? .over : .waits }
        if isFar {
            try cursor.jump(towards: nextFrame, in: reader)
            isFar = false
        }
        for _ in 0..<Self.piecesAtOnce {
            guard let piece = try cursor.next(from: reader) else { return job.status.isFinal ? .over : .waits }
            for line in piece.lines {
                // A line without a number is no record: the encoder says so.
                if let frame = FrameRecord.frame(ofLine: line.bytes) {
                    guard frame >= nextFrame else { continue }
                    nextFrame = frame + 1
                }
                guard try encoder.append(line: line.bytes, into: &bytes) else { return .over }
            }
            guard bytes.isEmpty else { return .waits }
        }
        // The frames lie far ahead, or the result is another than the one that was read. Whoever looks on has the time.
        isFar = true
        return .looksOn
    }

    /// As far as a jump may stay behind its frame.
    private static let piecesAtOnce = 6
}
