import Jobs

/// What other processes have changed, as far as they told.
public struct StoreChange: Hashable, Sendable {
    /// Jobs whose rows have changed or are gone; `nil`: too many to name.
    public var jobs: Set<JobID>?
    /// Whether a job has come into the queue.
    public var isQueued: Bool
    /// Whether a job has ended.
    public var isEnded: Bool

    /// More are not named.
    static let namedJobs = 100

    init(jobs: Set<JobID>? = [], isQueued: Bool = false, isEnded: Bool = false) {
        self.jobs = jobs
        self.isQueued = isQueued
        self.isEnded = isEnded
    }

    mutating func add(_ other: StoreChange) {
        isQueued = isQueued || other.isQueued
        isEnded = isEnded || other.isEnded
        guard let own = jobs, let others = other.jobs, own.count + others.count <= Self.namedJobs else {
            jobs = nil
            return
        }
        jobs = own.union(others)
    }
}

/// The payload of a notification: who sends it, and what.
struct ChangeMessage {
    var sender: String
    var change: StoreChange

    init(sender: String, change: StoreChange) {
        self.sender = sender
        self.change = change
    }

    /// Less than the 8000 bytes that a payload may have: 100 ids of 36 characters.
    var text: String {
        var object = JSONObject([
            ("from", .string(sender)), ("queued", .bool(change.isQueued)), ("ended", .bool(change.isEnded)),
        ])
        object["jobs"] = change.jobs.map { .array($0.sorted().map { .string($0.description) }) }
        return String(decoding: JSONValue.object(object).encoded(), as: UTF8.self)
    }

    /// `nil` where it is none of ours.
    init?(_ text: String) {
        guard let json = try? JSONValue(parsing: text.utf8, maximumBytes: 8192),
            let sender = json["from"]?.stringValue
        else { return nil }
        self.sender = sender
        change = StoreChange(
            jobs: json["jobs"]?.arrayValue.map { Set($0.compactMap { $0.stringValue.flatMap { JobID($0) } }) },
            isQueued: json["queued"]?.boolValue ?? false, isEnded: json["ended"]?.boolValue ?? false)
    }
}
