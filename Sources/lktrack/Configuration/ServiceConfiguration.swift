import Jobs
import S3BlobStore

/// Everything that can be configured, with its defaults; `config/lktrack.yaml` says what each key means.
struct ServiceConfiguration: Sendable, Equatable {
    struct Server: Sendable, Equatable {
        var address = "127.0.0.1"
        var port = 8080
        var shutdownSeconds = 30.0
        var threads = 0
        var connections = 4000
        var connectionsPerAddress = 0
        var streamsPerTenant = 0
        var origins: [String] = []
    }

    struct Limits: Sendable, Equatable {
        var uploadBytes = 4 << 30
        var uploadSeconds = 86_400.0
        var openUploads = 1000
        var pixels = 3840 * 2160 * 2
        var frames = 1_000_000
        var archiveBytes = 8 << 30
        var queuedJobs = 10_000
        var queuedJobsPerTenant = 2_500
        var storedBytesPerTenant = 0
        var requestsPerSecond = 0.0
        var resultBytes = 4 << 30
        var diskReserveBytes = 256 << 20
        var decoderStallSeconds = 30.0
        var decoderSeconds = 21_600.0
        var decoderMemoryBytes = 2 << 30
    }

    struct Webhooks: Sendable, Equatable {
        var secret = ""
        var allowHTTP = false
        var allowPrivate = false
        var retrySeconds = 5.0
        var sendersPerTenant = 4
        var certificatesFile = ""
    }

    enum Role: String, CaseIterable, Sendable { case api, worker }
    enum Authentication: String, CaseIterable, Sendable { case keys, none }
    enum LogLevel: String, CaseIterable, Sendable { case debug, info, warning, error }

    var server = Server()
    var authentication = Authentication.keys
    var dataDirectory = "data"
    var workers = 0
    var partTargets = 0
    var roles: Set<Role> = [.api, .worker]
    var limits = Limits()
    var webhooks = Webhooks()
    var storeURL = "sqlite:"
    var storeConnections = 8
    var blobsURL = "file:"
    var leaseSeconds = 30.0
    var retentionSeconds = 0.0
    var logLevel = LogLevel.info
}

/// One key of the configuration: its name in the file, and how its text is checked and stored.
struct ConfigurationKey: Sendable {
    /// Dotted, as in the file: `server.port`.
    let name: String
    /// Takes the value, or says what it should have been.
    let apply: @Sendable (String, inout ServiceConfiguration) throws(InvalidValue) -> Void
    /// The value in a configuration, as it would stand in the file.
    let value: @Sendable (ServiceConfiguration) -> String

    /// Whether the value is shown to nobody.
    var isSecret = false

    struct InvalidValue: Error { let expected: String }

    /// The same key, whose value is not repeated in errors.
    var secret: ConfigurationKey {
        var key = self
        key.isSecret = true
        return key
    }

    /// `LKTRACK_SERVER_PORT` for `server.port`.
    var environmentName: String {
        "LKTRACK_" + String(name.map { $0 == "." ? "_" : $0 }).uppercased()
    }
}

extension ConfigurationKey {
    static func int(
        _ name: String, _ path: WritableKeyPath<ServiceConfiguration, Int> & Sendable, _ range: ClosedRange<Int>
    ) -> ConfigurationKey {
        ConfigurationKey(name: name) { text, configuration throws(InvalidValue) in
            guard let value = Int(text), range.contains(value) else {
                throw InvalidValue(expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            configuration[keyPath: path] = value
        } value: {
            String($0[keyPath: path])
        }
    }

    static func seconds(
        _ name: String, _ path: WritableKeyPath<ServiceConfiguration, Double> & Sendable, _ range: ClosedRange<Double>
    ) -> ConfigurationKey {
        ConfigurationKey(name: name) { text, configuration throws(InvalidValue) in
            guard let value = Double(text), range.contains(value) else {
                throw InvalidValue(expected: "a number of seconds from \(range.lowerBound) to \(range.upperBound)")
            }
            configuration[keyPath: path] = value
        } value: {
            let number = $0[keyPath: path]
            return number == number.rounded() ? String(Int(number)) : String(number)
        }
    }

    static func number(
        _ name: String, _ path: WritableKeyPath<ServiceConfiguration, Double> & Sendable, _ range: ClosedRange<Double>
    ) -> ConfigurationKey {
        let key = seconds(name, path, range)
        return ConfigurationKey(name: name) { text, configuration throws(InvalidValue) in
            do {
                try key.apply(text, &configuration)
            } catch {
                throw InvalidValue(expected: "a number from \(range.lowerBound) to \(range.upperBound)")
            }
        } value: {
            key.value($0)
        }
    }

    static func text(
        _ name: String, _ path: WritableKeyPath<ServiceConfiguration, String> & Sendable, _ expected: String,
        where valid: @escaping @Sendable (String) -> Bool
    ) -> ConfigurationKey {
        ConfigurationKey(name: name) { text, configuration throws(InvalidValue) in
            guard valid(text) else { throw InvalidValue(expected: expected) }
            configuration[keyPath: path] = text
        } value: {
            $0[keyPath: path]
        }
    }

    static func bool(
        _ name: String, _ path: WritableKeyPath<ServiceConfiguration, Bool> & Sendable
    ) -> ConfigurationKey {
        ConfigurationKey(name: name) { text, configuration throws(InvalidValue) in
            guard let value = Bool(text) else { throw InvalidValue(expected: "true or false") }
            configuration[keyPath: path] = value
        } value: {
            String($0[keyPath: path])
        }
    }

    static func choice<Value: RawRepresentable & CaseIterable & Sendable>(
        _ name: String, _ path: WritableKeyPath<ServiceConfiguration, Value> & Sendable
    ) -> ConfigurationKey where Value.RawValue == String {
        ConfigurationKey(name: name) { text, configuration throws(InvalidValue) in
            guard let value = Value(rawValue: text) else {
                throw InvalidValue(expected: Value.allCases.map(\.rawValue).joined(separator: " or "))
            }
            configuration[keyPath: path] = value
        } value: {
            $0[keyPath: path].rawValue
        }
    }

    /// Every key there is; a key in the file that is not here stops the start.
    static let all: [ConfigurationKey] = [
        text("server.address", \.server.address, "an IPv4 or IPv6 address", where: NetworkAddress.isValid),
        int("server.port", \.server.port, 0...65535),
        seconds("server.shutdown_seconds", \.server.shutdownSeconds, 0...3600),
        int("server.threads", \.server.threads, 0...256),
        int("server.connections", \.server.connections, 8...1_000_000),
        int("server.connections_per_address", \.server.connectionsPerAddress, 0...1_000_000),
        int("server.streams_per_tenant", \.server.streamsPerTenant, 0...1_000_000),
        origins,
        choice("auth", \.authentication),
        text("data_dir", \.dataDirectory, "a folder", where: { !$0.isEmpty }),
        int("workers", \.workers, 0...1024),
        int("part_targets", \.partTargets, 0...64),
        roles,
        int("limits.upload_bytes", \.limits.uploadBytes, 1...(1 << 50)),
        seconds("limits.upload_seconds", \.limits.uploadSeconds, 1...31_536_000),
        int("limits.open_uploads", \.limits.openUploads, 1...1_000_000),
        int("limits.pixels", \.limits.pixels, 64...(1 << 30)),
        int("limits.frames", \.limits.frames, 1...100_000_000),
        int("limits.archive_bytes", \.limits.archiveBytes, 1...(1 << 50)),
        int("limits.queued_jobs", \.limits.queuedJobs, 1...100_000_000),
        int("limits.queued_jobs_per_tenant", \.limits.queuedJobsPerTenant, 0...100_000_000),
        int("limits.stored_bytes_per_tenant", \.limits.storedBytesPerTenant, 0...(1 << 50)),
        number("limits.requests_per_second", \.limits.requestsPerSecond, 0...1_000_000),
        int("limits.result_bytes", \.limits.resultBytes, 1...(1 << 50)),
        int("limits.disk_reserve_bytes", \.limits.diskReserveBytes, 0...(1 << 50)),
        seconds("limits.decoder_stall_seconds", \.limits.decoderStallSeconds, 0.1...3600),
        seconds("limits.decoder_seconds", \.limits.decoderSeconds, 1...31_536_000),
        int("limits.decoder_memory_bytes", \.limits.decoderMemoryBytes, (512 << 20)...(1 << 50)),
        text("webhooks.secret", \.webhooks.secret, "\(WebhookSecret.rule), or nothing") {
            $0.isEmpty || WebhookSecret($0) != nil
        }.secret,
        bool("webhooks.allow_http", \.webhooks.allowHTTP),
        bool("webhooks.allow_private", \.webhooks.allowPrivate),
        seconds("webhooks.retry_seconds", \.webhooks.retrySeconds, 0.01...3600),
        int("webhooks.senders_per_tenant", \.webhooks.sendersPerTenant, 1...8),
        text("webhooks.ca_file", \.webhooks.certificatesFile, "a file, or nothing", where: { _ in true }),
        // It may have a password.
        text("store.url", \.storeURL, "sqlite:, sqlite:PATH or postgres://USER@HOST/DATABASE") { url in
            ["sqlite:", "postgres://", "postgresql://"].contains(where: url.hasPrefix)
        }.secret,
        int("store.connections", \.storeConnections, 1...1000),
        blobsURL,
        seconds("lease_seconds", \.leaseSeconds, 1...3600),
        seconds("retention_seconds", \.retentionSeconds, 0...3_000_000_000),
        choice("log.level", \.logLevel),
    ]

    private static let origins = ConfigurationKey(name: "server.origins") { text, configuration throws(InvalidValue) in
        let origins = text.split(separator: ",").map { String($0.filter { $0 != " " }) }
        guard origins.allSatisfy({ $0.wholeMatch(of: /https?:\/\/[A-Za-z0-9.\-]+(:[0-9]{1,5})?/) != nil }) else {
            throw InvalidValue(expected: "origins as browsers send them, such as https://site.example")
        }
        configuration.server.origins = origins.map { $0.lowercased() }
    } value: {
        $0.server.origins.joined(separator: ",")
    }

    private static let blobsURL = ConfigurationKey(name: "blobs.url") { text, configuration throws(InvalidValue) in
        if text.hasPrefix("s3:") {
            do throws(S3Location.Invalid) {
                _ = try S3Location(text)
            } catch {
                throw InvalidValue(expected: error.description)
            }
        } else if !text.hasPrefix("file:") {
            throw InvalidValue(expected: "file:, file:FOLDER or s3://BUCKET/PREFIX?endpoint=…&region=…")
        }
        configuration.blobsURL = text
    } value: {
        $0.blobsURL
    }

    private static let roles = ConfigurationKey(name: "roles") { text, configuration throws(InvalidValue) in
        let names = text.split(separator: ",").map { String($0.filter { $0 != " " }) }
        let roles = names.compactMap(ServiceConfiguration.Role.init(rawValue:))
        guard !roles.isEmpty, roles.count == names.count else {
            throw InvalidValue(expected: "api, worker or api,worker")
        }
        configuration.roles = Set(roles)
    } value: {
        $0.roles.map(\.rawValue).sorted().joined(separator: ",")
    }
}
