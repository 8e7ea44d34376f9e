import GRDB
import Jobs

/// The migrations of `migrations/sqlite`, which are compiled in.
enum Schema {
    private static let migrations: [(name: String, sql: [UInt8])] = [
        ("0001_jobs", PackageResources._001_jobs_sql),
        ("0002_tenants", PackageResources._002_tenants_sql),
        ("0003_uploads", PackageResources._003_uploads_sql),
        ("0004_idempotency", PackageResources._004_idempotency_sql),
        ("0005_deliveries", PackageResources._005_deliveries_sql),
        ("0007_monitoring", PackageResources._007_monitoring_sql),
        ("0008_upload_tombstones", PackageResources._008_upload_tombstones_sql),
        ("0009_delivery_figures", PackageResources._009_delivery_figures_sql),
        ("0010_delivery_turns", PackageResources._010_delivery_turns_sql),
        ("0011_label_status", PackageResources._011_label_status_sql),
        ("0012_deadlines", PackageResources._012_deadlines_sql),
        ("0013_parts", PackageResources._013_parts_sql),
        ("0014_stored_bytes", PackageResources._014_stored_bytes_sql),
    ]

    /// Applies what is missing, each migration in a transaction of its own.
    ///
    /// - Throws: ``JobsError/Code/schemaTooNew`` where the database has migrations that are not known here,
    ///   ``JobsError/Code/moved`` where its jobs are elsewhere.
    static func migrate(_ pool: DatabasePool) throws {
        let migrator = migrator
        let applied = try pool.read(migrator.appliedIdentifiers)
        if let move = DatabaseMove.among(applied) { throw move.refusal(of: pool.path) }
        try requireKnown(applied, pool)
        try migrator.migrate(pool)
    }

    /// For the one who moves a database, whose mark may be there already. Another version may be at work on it.
    static func requireCurrent(_ pool: DatabasePool) throws {
        let migrator = migrator
        let applied = try pool.read(migrator.appliedIdentifiers).subtracting(DatabaseMove.migrationNames)
        try requireKnown(applied, pool)
        guard applied.count == migrations.count else {
            throw JobsError(
                .io,
                "the job database \(pool.path) was made by an older version; start a server of this version on it first, "
                    + "which brings it up to date")
        }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for migration in migrations {
            migrator.registerMigration(migration.name) { db in
                try db.execute(sql: String(decoding: migration.sql, as: UTF8.self))
            }
        }
        return migrator
    }

    private static func requireKnown(_ applied: Set<String>, _ pool: DatabasePool) throws(JobsError) {
        guard applied.isSubset(of: migrations.map(\.name)) else {
            throw JobsError(
                .schemaTooNew,
                "the job database \(pool.path) was made by a newer version; start that version, or restore a backup")
        }
    }
}
