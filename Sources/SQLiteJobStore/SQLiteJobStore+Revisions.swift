import GRDB
import Jobs

extension SQLiteJobStore: JobRevisionStore {
    /// Takes the ids as one JSON array, so that the statement is the same for any number of them.
    static let revisionsSQL = """
        SELECT jobs.id, jobs.revision FROM json_each(?) AS wanted CROSS JOIN jobs ON jobs.id = wanted.value
        """

    public func revisions(of ids: [JobID]) throws -> [JobID: Int64] {
        guard !ids.isEmpty else { return [:] }
        let wanted = Self.list(ids.map(\.description))
        return try read { db in
            let rows = try db.cachedStatement(sql: Self.revisionsSQL).rows([wanted])
            return Dictionary(
                rows.compactMap { row in JobID(row[0] as String).map { ($0, row[1]) } },
                uniquingKeysWith: { first, _ in first })
        }
    }
}
