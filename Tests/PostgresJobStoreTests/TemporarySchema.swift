import Foundation
import Jobs
import JobStoreContract
import ServiceHarness

@testable import PostgresJobStore

/// A schema of its own in the suite's server; it goes away with that.
final class TemporarySchema: JobStoreFixture, UploadStoreFixture, DeliveryStoreFixture {
    /// One for all suites that leave it running.
    private static let shared = Result { try PostgresServer() }

    let server: PostgresServer
    let name = "test_" + UUID().uuidString.filter { $0 != "-" }.lowercased()

    /// - Parameter server: `nil`: the shared one.
    init(_ server: PostgresServer? = nil) throws {
        self.server = try server ?? Self.shared.get()
        try connection().run(script: "CREATE SCHEMA \(name)")
    }

    /// Notifications come within milliseconds.
    var noticeSeconds: Double { 10 }

    /// Looks for changes that nobody told of once in an hour, so that it is up to the notifications.
    var configuration: PostgresConfiguration {
        var configuration = PostgresConfiguration(url: server.url(schema: name), connections: 2)
        configuration.lookSeconds = 3600
        return configuration
    }

    /// In the schema, without anything that a store sets up.
    func connection() throws -> PostgresConnection {
        let connection = try PostgresConnection(url: server.url(schema: name), seconds: 30)
        connection.deadline = .now + .seconds(60)
        return connection
    }

    func store(
        _ environment: any Environment = SystemEnvironment(), retentionSeconds: Double? = nil,
        capacity: QueueCapacity = QueueCapacity(),
        configured: (inout PostgresConfiguration) -> Void = { _ in }
    ) throws -> PostgresJobStore {
        var configuration = configuration
        configured(&configuration)
        return try PostgresJobStore(
            configuration, retentionSeconds: retentionSeconds, capacity: capacity, environment: environment)
    }

    func open(
        _ environment: any Environment, retentionSeconds: Double?, capacity: QueueCapacity
    ) throws -> any JobStore {
        try store(environment, retentionSeconds: retentionSeconds, capacity: capacity)
    }

    func openUploads(_ environment: any Environment) throws -> any JobStore & UploadStore { try store(environment) }

    func openDeliveries(_ environment: any Environment) throws -> any JobStore & DeliveryStore {
        try store(environment)
    }
}

extension Job {
    static func simple(
        _ id: JobID = JobIDGenerator().next(), tenant: TenantID = .anonymous, webhook: String? = nil
    ) throws -> Job {
        var spec = JobSpec(targets: [TargetSpec(id: "car", box: PixelBox(x: 70, y: 51, width: 107, height: 87))])
        spec.webhook = try webhook.map { WebhookSpec(url: try WebhookURL($0)) }
        let source = JobSource(kind: .video, blobKey: id.sourceKey, bytes: 1, sha256: "00")
        return Job(id: id, tenant: tenant, spec: spec, source: source, createdAt: Date())
    }
}
