import Foundation
import Jobs
import PostgresJobStore
import SQLiteJobStore

/// Everything that the service asks of its store.
protocol ServiceStore: JobStore, UploadStore, DeliveryStore, KeyStore, QueueStatistics, ChangeCount, JobRevisionStore {
    /// Later calls throw.
    func close() throws(JobsError)
}

extension SQLiteJobStore: ServiceStore {}
extension PostgresJobStore: ServiceStore {}

/// What `store.url` names.
enum StoreLocation {
    case sqlite(path: String)
    case postgres(PostgresConfiguration)

    /// For messages: names no password.
    var name: String {
        switch self {
        case .sqlite(let path): path
        case .postgres: "store.url"
        }
    }

    /// Opens the store, and brings its schema up to date.
    func open(
        retentionSeconds: Double? = nil, capacity: QueueCapacity = QueueCapacity()
    ) throws(JobsError) -> any ServiceStore {
        switch self {
        case .sqlite(let path):
            try SQLiteJobStore(path: path, retentionSeconds: retentionSeconds, capacity: capacity)
        case .postgres(let database):
            try PostgresJobStore(database, retentionSeconds: retentionSeconds, capacity: capacity)
        }
    }
}

extension ServiceConfiguration {
    var storeLocation: StoreLocation {
        guard storeURL.hasPrefix("sqlite:") else {
            return .postgres(PostgresConfiguration(url: storeURL, connections: storeConnections))
        }
        return .sqlite(path: path(of: storeURL, or: "lktrack.sqlite"))
    }

    /// What tells the database from others, the same for all who share it.
    func installation(_ store: any ServiceStore) throws -> String {
        if let shared = store as? PostgresJobStore { return try shared.installation() }
        return try Installation.id(of: databaseFile())
    }

    /// The database's file, for commands that copy it.
    ///
    /// - Throws: where it has none.
    func databaseFile() throws(CommandFailure) -> String {
        guard case .sqlite(let path) = storeLocation else {
            throw CommandFailure(
                .configuration,
                "store.url names a PostgreSQL database, which `pg_dump` copies and `pg_restore` puts back; this command "
                    + "is for SQLite")
        }
        return path
    }
}
