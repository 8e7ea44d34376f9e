import Foundation
import GRDB
import Jobs

/// The clients' side: submit, look, list, cancel, delete.
extension SQLiteJobStore {
    public func submit(_ job: Job) throws {
        let new = NewJob(job)
        try write { db in try insert(new, db) }
    }

    public func stored(_ id: JobID, tenant: TenantID) throws -> StoredJob? {
        try read { db in try Self.job(db, id, tenant) }
    }

    public func jobs(_ query: JobQuery) throws -> JobPage {
        let (stored, hasMore) = try read { db -> ([StoredJob], Bool) in
            let nextRow = try Self.rows(of: query, db)
            var jobs: [StoredJob] = []
            var bytes = 0
            while let row = try nextRow() {
                guard jobs.count < query.limit, bytes < JobQuery.pageBytes else { return (jobs, true) }
                jobs.append(try StoredJob(row))
                bytes += try JobRow.specBytes(row)
            }
            return (jobs, false)
        }
        return JobPage(jobs: try stored.map { try $0.read() }, hasMore: hasMore)
    }

    public func requestCancel(_ id: JobID, tenant: TenantID, ifRevision: Int64?) throws -> Job? {
        try write { db in
            if ifRevision != nil { try Self.job(db, id, tenant)?.withoutSpec.require(revision: ifRevision) }
            let sql = """
                UPDATE jobs SET status = iif(status = 'queued', 'canceled', status),
                    finished_at = iif(status = 'queued', :now, finished_at),
                    expires_at = iif(status = 'queued', :now + :retention, expires_at), cancel_requested = 1,
                    revision = revision + 1
                WHERE id = :id AND tenant = :tenant
                    AND (status = 'queued' OR (status = 'running' AND NOT cancel_requested))
                """
            try db.cachedStatement(sql: sql).execute(
                arguments: [
                    "now": now, "retention": retentionMilliseconds, "id": id.description, "tenant": tenant.name,
                ])
            if db.changesCount == 1 { try addDelivery(of: id, db) }
            return try Self.job(db, id, tenant)
        }?.changed
    }

    public func delete(_ id: JobID, tenant: TenantID, ifRevision: Int64?) throws -> Job? {
        let deleted = try write { db -> StoredJob? in
            guard let job = try Self.job(db, id, tenant) else { return nil }
            try job.withoutSpec.require(revision: ifRevision)
            try db.cachedStatement(sql: "DELETE FROM jobs WHERE id = ?").execute(arguments: [id.description])
            return job
        }
        return deleted?.changed
    }

    public func attachVideo(_ key: String, job: JobID) throws -> Bool {
        try write { db in
            let sql = """
                UPDATE jobs SET video_key = ?, revision = revision + 1
                WHERE id = ? AND status IN ('succeeded', 'failed', 'canceled')
                """
            try db.cachedStatement(sql: sql).execute(arguments: [key, job.description])
            return db.changesCount == 1
        }
    }

    public func exists(_ id: JobID) throws -> Bool {
        try read { db in
            let sql = "SELECT EXISTS (SELECT 1 FROM jobs WHERE id = ?)"
            return try Bool.fetchOne(db.cachedStatement(sql: sql), arguments: [id.description]) ?? false
        }
    }

    public func counts() throws -> [JobStatus: Int] {
        try read { db in
            let rows = try db.cachedStatement(sql: "SELECT status, count FROM job_counts").rows([])
            return Dictionary(
                rows.compactMap { row in JobStatus(rawValue: row[0]).map { ($0, row[1]) } }, uniquingKeysWith: +)
        }
    }

    // MARK: Helpers

    /// - Throws: where there is more than may be, with this job; the savepoint it is called in undoes the rest.
    func insert(_ new: NewJob, _ db: Database) throws {
        let job = new.job
        let values = new.values.sorted { $0.key < $1.key }
        let sql = """
            INSERT INTO jobs (\(values.map(\.key).joined(separator: ", ")))
            VALUES (\(values.map { ":" + $0.key }.joined(separator: ", ")))
            """
        let arguments = StatementArguments(Dictionary(uniqueKeysWithValues: values.map { ($0.key, $0.value) }))
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
        let label = "INSERT INTO job_labels (job_id, tenant, name, value, status) VALUES (?, ?, ?, ?, ?)"
        for (name, value) in job.spec.labels.sorted(by: { $0.key < $1.key }) {
            try db.cachedStatement(sql: label).execute(
                arguments: [job.id.description, job.tenant.name, name, value, job.status.rawValue])
        }
        try requireRoom(for: new, db)
    }

    private static func job(_ db: Database, _ id: JobID, _ tenant: TenantID) throws -> StoredJob? {
        let sql = "SELECT \(JobRow.columns) FROM jobs WHERE id = ? AND tenant = ?"
        let rows = try db.cachedStatement(sql: sql).rows([id.description, tenant.name])
        return try rows.first.map { try StoredJob($0) }
    }

    /// Gives the rows of a list one by one.
    private static func rows(of query: JobQuery, _ db: Database) throws -> () throws -> Row? {
        guard query.labels.count > 1 else {
            let (sql, arguments) = listing(query)
            let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
            return { try rows.next() }
        }
        var search = LabelSearch(query, db)
        let statement = try db.cachedStatement(sql: "SELECT \(JobRow.columns) FROM jobs WHERE id = ?")
        return { try search.next().flatMap { try Row.fetchOne(statement, arguments: [$0]) } }
    }

    /// Of a query with one label at most. One row more than asked for tells whether there are more. With a label, its
    /// index leads, in the order of the ids, with the state where that is asked for.
    static func listing(_ query: JobQuery) -> (sql: String, arguments: StatementArguments) {
        var sql = "SELECT \(JobRow.columns) FROM jobs"
        var conditions: [String] = []
        var arguments: StatementArguments = []
        let ordering: String
        if let first = query.labels.first {
            sql = "SELECT \(JobRow.columns) FROM job_labels AS label CROSS JOIN jobs ON jobs.id = label.job_id"
            conditions.append("label.tenant = ? AND label.name = ? AND label.value = ?")
            arguments += [query.tenant.name, first.key, first.value]
            ordering = "label.job_id"
        } else {
            conditions.append("jobs.tenant = ?")
            arguments += [query.tenant.name]
            ordering = "jobs.id"
        }
        if let status = query.status {
            conditions.append(query.labels.isEmpty ? "jobs.status = ?" : "label.status = ?")
            arguments += [status.rawValue]
        }
        if let before = query.before {
            conditions.append("\(ordering) < ?")
            arguments += [before.description]
        }
        sql += " WHERE \(conditions.joined(separator: " AND ")) ORDER BY \(ordering) DESC LIMIT ?"
        return (sql, arguments + [query.limit + 1])
    }
}
