/// Where the database is, and how it is talked to.
public struct PostgresConfiguration: Sendable {
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`, or anything else that libpq takes
    /// (https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING).
    public var url: String
    /// Connections at most, one more for changes aside; at least 1.
    public var connections: Int
    /// How long making a connection may take.
    public var connectSeconds = 5.0
    /// After how long the server gives a statement up. Also how long a transaction may stand idle that its client was cut
    /// off from.
    public var statementSeconds = 5.0
    /// How long a call may take in all, with waiting for a connection and trying again.
    public var callSeconds = 10.0
    /// Between two tries to reach a database that is away: the first pause, which doubles up to the longest.
    public var firstPauseSeconds = 0.1
    public var longestPauseSeconds = 2.0
    /// How long calls wait for a database that is away; once it has been away for longer they fail at once.
    public var patienceSeconds = 5.0
    /// How often it is looked for changes that nobody has told of.
    public var lookSeconds = 1.0

    public init(url: String, connections: Int = 8) {
        self.url = url
        self.connections = connections
    }
}
