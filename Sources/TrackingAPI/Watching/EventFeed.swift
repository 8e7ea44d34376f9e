import Jobs

/// A job's life as server-sent events (WHATWG HTML §9.2): `status`, `progress`, `frame` and `end`.
struct EventFeed: JobFeed {
    static let mediaType = "text/event-stream"
    /// How long a browser waits before it comes back, in milliseconds.
    static let preamble = Array("retry: 2000\n\n".utf8)
    static let sign = Array(":\n\n".utf8)
    static let mayBreakOff = true

    private(set) var position: EventPosition
    /// `nil`: without `frame` events.
    private var cursor: ResultCursor?
    /// Whether the place in the result is still to be found where the client goes on.
    private var isBehind: Bool
    private let id: JobID

    /// - Parameters:
    ///   - position: what the client has already.
    ///   - wantsFrames: whether there are `frame` events.
    init(_ id: JobID, after position: EventPosition, wantsFrames: Bool) {
        self.id = id
        self.position = position
        cursor = wantsFrames ? ResultCursor() : nil
        isBehind = wantsFrames && position.frames > 0
    }

    mutating func append(
        _ seen: WatchedJob.Snapshot, to bytes: inout [UInt8], obstacle: (Job) -> FeedStep?
    ) throws -> FeedStep {
        guard let job = seen.job else {
            let deleted: JSONValue = ["id": .string(id.description), "status": "deleted"]
            end(deleted.encoded(), &bytes)
            return .over
        }
        if isBehind {
            guard seen.isResultKnown else { return .waits }
            guard try catchUp(seen, job) else { return .looksOn }
        }
        for stage in position.stage.path(to: job) { enter(stage, &bytes) }
        if cursor != nil {
            guard seen.isResultKnown else { return .waits }
            let before = bytes.count
            if try !appendFrames(seen, job, &bytes) { return .looksOn }
            if bytes.count > before { return .waits }
        }
        if job.attempt > 0, job.status != .queued, job.progress.framesDone != position.progress {
            position.progress = job.progress.framesDone
            append("progress", JobWriter.progress(job.progress).encoded(), &bytes)
        }
        guard job.status.isFinal else { return .waits }
        if position.stage != .ended {
            position.stage = .ended
            append("status", Self.status(job.status, job.attempt), &bytes)
        }
        if let obstacle = obstacle(job) { return obstacle }
        end(JobWriter.encoded(job), &bytes)
        return .over
    }

    // MARK: Frames

    /// Of a result, looked at in one call.
    private static let piecesAtOnce = 4

    /// Finds the place where the client goes on; at the start of everything where it cannot have what it says.
    ///
    /// - Returns: whether the way is over; it may be long.
    private mutating func catchUp(_ seen: WatchedJob.Snapshot, _ job: Job) throws -> Bool {
        if let reader = try seen.result(of: job) {
            switch try cursor?.skip(towards: position.frames, in: reader, pieces: Self.piecesAtOnce) {
            case .onTheWay: return false
            case .noFurther where position.hasTooManyFrames(for: job):
                (cursor, position) = (ResultCursor(), EventPosition())
            default: break
            }
        }
        isBehind = false
        return true
    }

    /// Appends what the result has beyond the position, a piece at a time.
    ///
    /// - Returns: whether that is all, or there was anything; otherwise the result has more to look at.
    private mutating func appendFrames(
        _ seen: WatchedJob.Snapshot, _ job: Job, _ bytes: inout [UInt8]
    ) throws -> Bool {
        guard let reader = try seen.result(of: job) else { return true }
        let before = bytes.count
        for _ in 0..<Self.piecesAtOnce where bytes.count == before {
            guard let piece = try cursor?.next(from: reader) else {
                guard let lines = cursor?.lines, lines < position.frames, position.hasTooManyFrames(for: job)
                else { return true }
                (cursor, position.frames) = (ResultCursor(), 0)
                continue
            }
            for line in piece.lines where line.number >= position.frames {
                position.frames = line.number + 1
                append("frame", line.bytes, &bytes)
            }
        }
        return bytes.count > before
    }

    // MARK: Events

    private mutating func enter(_ stage: EventPosition.Stage, _ bytes: inout [UInt8]) {
        position.stage = stage
        guard let told = stage.told else { return }
        append("status", Self.status(told.status, told.attempt), &bytes)
    }

    private mutating func end(_ data: [UInt8], _ bytes: inout [UInt8]) {
        position.stage = .over
        append("end", data, &bytes)
    }

    /// What is the same live and in a replay: no times of attempts that nobody remembers.
    private static func status(_ status: JobStatus, _ attempt: Int) -> [UInt8] {
        let value: JSONValue = ["status": .string(status.rawValue), "attempt": .int(attempt)]
        return value.encoded()
    }

    /// JSON of ours has no line break in it, so one `data` field holds it.
    private func append(_ name: String, _ data: some Collection<UInt8>, _ bytes: inout [UInt8]) {
        bytes.append(contentsOf: "id: \(position)\nevent: \(name)\ndata: ".utf8)
        bytes.append(contentsOf: data)
        bytes.append(contentsOf: "\n\n".utf8)
    }
}
