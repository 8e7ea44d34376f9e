import Jobs

/// The migrations of `migrations/postgres`, which are compiled in.
enum Schema {
    static let migrations: [(name: String, sql: [UInt8])] = [
        ("0001_jobs", PackageResources._001_jobs_sql),
        ("0002_queue", PackageResources._002_queue_sql),
        ("0003_keys_and_uploads", PackageResources._003_keys_and_uploads_sql),
        ("0004_deliveries", PackageResources._004_deliveries_sql),
        ("0005_parts", PackageResources._005_parts_sql),
        ("0006_installation", PackageResources._006_installation_sql),
        ("0007_takeover", PackageResources._007_takeover_sql),
        ("0008_stored_bytes", PackageResources._008_stored_bytes_sql),
    ]

    /// How long to wait for others that migrate, and for the migrations themselves.
    private static let seconds = 300.0

    /// Applies what is missing, all in one transaction. Processes that start together do so one after another.
    ///
    /// - Throws: ``JobsError/Code/schemaTooNew`` where the database has migrations that are not known here.
    static func migrate(_ connection: PostgresConnection) throws(JobsError) {
        connection.deadline = .now + .seconds(seconds)
        let unknown: [String]
        do throws(PostgresError) {
            unknown = try apply(connection)
        } catch {
            throw JobsError(error)
        }
        guard unknown.isEmpty else {
            throw JobsError(
                .schemaTooNew,
                "the job database was made by a newer version (it has \(unknown.joined(separator: ", "))); "
                    + "start that version, or restore a backup")
        }
    }

    /// - Returns: names of migrations that are not known here; nothing was changed where there are any.
    private static func apply(_ connection: PostgresConnection) throws(PostgresError) -> [String] {
        let schema = try connection.run(
            script: """
                BEGIN;
                SET LOCAL statement_timeout = 0;
                SET LOCAL idle_in_transaction_session_timeout = 0;
                SELECT current_schema()
                """
        ).first?.optionalText(0)
        guard schema != nil else {
            throw PostgresError(.server("3F000"), "the connection's search_path names no schema that is there")
        }
        try connection.run(
            script: """
                SELECT pg_advisory_xact_lock(hashtext('lktrack.migrations'), hashtext(current_schema()));
                CREATE TABLE IF NOT EXISTS lktrack_migrations (
                    name text COLLATE "C" PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())
                """)
        let applied = try connection.run(script: "SELECT name FROM lktrack_migrations ORDER BY name").rows.map {
            $0.text(0)
        }
        let unknown = applied.filter { name in !migrations.contains { $0.name == name } }
        if unknown.isEmpty {
            for migration in migrations where !applied.contains(migration.name) {
                try connection.run(script: String(decoding: migration.sql, as: UTF8.self))
                try connection.run(script: "INSERT INTO lktrack_migrations (name) VALUES ('\(migration.name)')")
            }
        }
        try connection.run(script: unknown.isEmpty ? "COMMIT" : "ROLLBACK")
        return unknown
    }
}
