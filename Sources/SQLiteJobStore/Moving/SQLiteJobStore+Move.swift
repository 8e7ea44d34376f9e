import Foundation
import GRDB
import Jobs

/// The mark of a database whose jobs are moved elsewhere: the name of a migration that no version has. So those too refuse
/// it that know nothing of moves.
extension DatabaseMove {
    fileprivate var migrationName: String { "\(rawValue) to PostgreSQL" }

    static func among(_ applied: Set<String>) -> DatabaseMove? {
        // While the one takes the place of the other both may be there.
        [.moved, .moving].first { applied.contains($0.migrationName) }
    }

    static let migrationNames = Set(allCases.map(\.migrationName))

    func refusal(of path: String) -> JobsError {
        let what =
            switch self {
            case .moving:
                "the jobs of \(path) are being moved to PostgreSQL. Run the same `lktrack migrate` again to finish that, "
                    + "or the same with --undo to go on with this database"
            case .moved:
                "the jobs of \(path) were moved to PostgreSQL: let store.url name that database. The same "
                    + "`lktrack migrate` with --undo goes back to this one, without what has happened since"
            }
        return JobsError(.moved, what)
    }
}

/// For the one who moves a database.
extension SQLiteJobStore {
    /// Opens a database whose jobs are moved, or are to be moved. Its schema stays as it is.
    ///
    /// - Throws: ``JobsError/Code/schemaTooNew`` where a newer version made it; ``JobsError/Code/io`` where it is older than
    ///   this version.
    package init(moving path: String, retentionSeconds: Double?) throws(JobsError) {
        try self.init(
            path: path, retentionSeconds: retentionSeconds, environment: SystemEnvironment(),
            preparing: Schema.requireCurrent)
    }

    /// `nil`: nobody moves it.
    package func move() throws -> DatabaseMove? {
        try read { db in .among(try String.fetchSet(db, sql: "SELECT identifier FROM grdb_migrations")) }
    }

    /// Closes the database to all who open it from now on, and lets them in again where it is `nil`.
    package func setMove(_ move: DatabaseMove?) throws { try write { db in try Self.setMove(move, db) } }

    private static func setMove(_ move: DatabaseMove?, _ db: Database) throws {
        for name in DatabaseMove.migrationNames.sorted() where name != move?.migrationName {
            try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier = ?", arguments: [name])
        }
        if let name = move?.migrationName {
            try db.execute(sql: "INSERT OR IGNORE INTO grdb_migrations (identifier) VALUES (?)", arguments: [name])
        }
    }

    /// More changes than a job sees where it was moved to.
    private static let revisionsElsewhere = Int64(1) << 32

    /// Lets in again after what was moved has been worked on elsewhere. Jobs get revisions that they have not had there: else
    /// a client would take the next change for the one that it has seen.
    package func reopen() throws {
        try write { db in
            try db.execute(
                sql: "UPDATE jobs SET revision = revision + ?", arguments: [Self.revisionsElsewhere])
            try Self.setMove(nil, db)
        }
    }
}
