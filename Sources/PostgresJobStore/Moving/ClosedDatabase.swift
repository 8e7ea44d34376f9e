import Jobs

/// What is refused on a database that a ``Takeover`` has closed.
extension PostgresJobStore {
    /// Reads what says which blobs are nobody's. A closed database can be read, but the jobs that it does not know may be in
    /// the other one by now, with blobs in the same place.
    ///
    /// - Throws: ``JobsError/Code/moved`` where the database is closed.
    func readToRemove<T: Sendable>(_ body: (PostgresConnection) throws -> T) throws(JobsError) -> T {
        try transactor.read { connection in
            try Self.refuseDuringTakeover(connection)
            return try body(connection)
        }
    }

    /// Throws where the database does not hold all that it is to hold, or holds what is somebody else's again.
    static func refuseDuringTakeover(_ connection: PostgresConnection) throws(JobsError) {
        let state: String?
        do throws(PostgresError) {
            state = try connection.execute("SELECT state FROM takeover").first?.text(0)
        } catch {
            throw JobsError(error)
        }
        switch state {
        case nil, Takeover.State.finished.rawValue: return
        case Takeover.State.undone.rawValue:
            throw JobsError(
                .moved,
                "the jobs of this database were given back to SQLite (`lktrack migrate --undo`): let store.url name that"
            )
        default:
            throw JobsError(
                .moved,
                "not all jobs have come to this database yet: run the same `lktrack migrate` again, with no server running "
                    + "on the old one, until it says that they have")
        }
    }
}
