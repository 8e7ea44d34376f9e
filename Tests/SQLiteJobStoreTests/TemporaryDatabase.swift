import Foundation
import Jobs
import JobStoreContract
import SQLiteJobStore

/// A database file in a folder of its own, which goes away with it.
final class TemporaryDatabase: JobStoreFixture, UploadStoreFixture, DeliveryStoreFixture {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jobs-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: folder) }

    var path: String { folder.appendingPathComponent("jobs.sqlite").path }

    func open(
        _ environment: any Environment, retentionSeconds: Double?, capacity: QueueCapacity
    ) throws -> any JobStore {
        try SQLiteJobStore(
            path: path, retentionSeconds: retentionSeconds, capacity: capacity, environment: environment)
    }

    func openUploads(_ environment: any Environment) throws -> any JobStore & UploadStore { try store(environment) }

    func openDeliveries(_ environment: any Environment) throws -> any JobStore & DeliveryStore {
        try store(environment)
    }

    func store(_ environment: any Environment = SystemEnvironment()) throws -> SQLiteJobStore {
        try SQLiteJobStore(path: path, environment: environment)
    }
}
