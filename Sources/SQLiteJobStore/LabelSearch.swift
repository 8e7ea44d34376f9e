import GRDB
import Jobs

/// Finds jobs that have several labels, newest first, by the entries that each label has in an index, in the order of the
/// ids: whichever label is furthest back says where the others go on. So it takes as many looks as the rarest label has
/// entries, rather than the first one.
struct LabelSearch {
    private let db: Database
    private let tenant: TenantID
    private let labels: [(name: String, value: String)]
    private let status: JobStatus?
    /// The next job is older than this one.
    private var before: String?
    /// Entries that were looked for.
    private(set) var looks = 0

    /// - Parameter query: with at least one label.
    init(_ query: JobQuery, _ db: Database) {
        self.db = db
        tenant = query.tenant
        labels = query.labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        status = query.status
        before = query.before?.description
    }

    /// The id of the next job that has all labels; `nil` after the last.
    mutating func next() throws -> String? {
        guard let first = labels.first, var candidate = try newest(first, before.map { ("<", $0) }) else { return nil }
        var agreeing = 1
        var turn = 1
        while agreeing < labels.count {
            guard let found = try newest(labels[turn % labels.count], ("<=", candidate)) else { return nil }
            agreeing = found == candidate ? agreeing + 1 : 1
            candidate = found
            turn += 1
        }
        before = candidate
        return candidate
    }

    /// The newest job with a label, of those up to a bound.
    private mutating func newest(
        _ label: (name: String, value: String), _ bound: (comparison: String, id: String)?
    ) throws -> String? {
        looks += 1
        let (sql, arguments) = Self.look(tenant, label, status, bound)
        return try String.fetchOne(db.cachedStatement(sql: sql), arguments: arguments)
    }

    /// What asks for it.
    static func look(
        _ tenant: TenantID, _ label: (name: String, value: String), _ status: JobStatus?,
        _ bound: (comparison: String, id: String)?
    ) -> (sql: String, arguments: StatementArguments) {
        let sql = """
            SELECT job_id FROM job_labels WHERE tenant = ? AND name = ? AND value = ?
                \(status == nil ? "" : "AND status = ?") \(bound.map { "AND job_id \($0.comparison) ?" } ?? "")
            ORDER BY job_id DESC LIMIT 1
            """
        var arguments: StatementArguments = [tenant.name, label.name, label.value]
        if let status { arguments += [status.rawValue] }
        if let bound { arguments += [bound.id] }
        return (sql, arguments)
    }
}
