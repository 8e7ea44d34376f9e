/// What the service asks of its database.
public enum DatabaseOperation: String, CaseIterable, Sendable {
    /// Once a job.
    case submit, claim, describe, publish
    /// Again and again while a job runs.
    case heartbeat, look
    /// Again and again for each process: leases and deadlines, and the newest transaction.
    case sweep
    /// Of a worker that has nothing to do.
    case poll
    /// A message's way to one process that listens. (Making it is part of what it tells of.)
    case delivery
}

/// What each operation takes of one of the database's processors, in seconds.
public struct DatabaseCosts: Sendable {
    private var seconds: [DatabaseOperation: Double]

    /// Those that are not named cost nothing.
    public init(_ seconds: [DatabaseOperation: Double] = [:]) { self.seconds = seconds }

    public subscript(operation: DatabaseOperation) -> Double {
        get { seconds[operation] ?? 0 }
        set { seconds[operation] = newValue }
    }
}

extension DatabaseCosts {
    /// What `./run bench database` calls an operation's time, in microseconds, and `./run simulate` looks for.
    public static func figureName(_ operation: DatabaseOperation) -> String {
        "\(operation.rawValue): of the server's processors"
    }
}
