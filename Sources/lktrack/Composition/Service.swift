import Dispatch
import Foundation
import HTTPServer
import Jobs
import Logging
import Media
import PostgresJobStore
import PrometheusMetrics
import ServiceLifecycle
import TrackingAPI
import Webhooks
import Workers

/// The composition of the service: stores, workers, API and server, put together from the configuration.
struct Service: Sendable {
    private let configuration: ServiceConfiguration
    private let log: Logger
    private let owners: OwnerRegistry
    private let store: any ServiceStore
    private let pool: WorkerPool?
    /// Without the role `api` it tells how this process is, and nothing else.
    let api: TrackingAPI
    private let server: HTTPServer
    private let sweeper: UploadSweeper?
    private let keys: KeyRing?
    private let retention: RetentionSweeper
    private let orphans: OrphanSweeper
    private let webhooks: DeliverySender?
    private let isStopping: StopFlag
    private let decoder: DecoderCommand

    /// - Parameters:
    ///   - requestLog: writes the line of a finished request; `nil`: it goes to `log`.
    ///   - decoder: what decodes for it; see ``Decoders/command(_:)``.
    init(
        _ configuration: ServiceConfiguration, log: Logger,
        requestLog: (@Sendable (HTTPRequestSummary) -> Void)? = nil, decoder: DecoderCommand = .current
    ) throws(CommandFailure) {
        self.configuration = configuration
        self.log = log
        self.decoder = decoder
        let data = configuration.dataDirectory
        let metrics = MetricsRegistry()
        do {
            try Self.makeDataFolder(data)
            // Before anything is written, whatever the roles: a worker's process must know of one that takes uploads.
            owners = try OwnerRegistry(directory: data + "/owners")
            store = try Self.store(configuration)
            let storage = try BlobStorage(configuration, of: store, isAlone: !owners.hasLivingOthers())
            let blobs = storage.store
            orphans = storage.sweeper(for: store, log: log)
            try CanceledJobs(store: store, blobs: blobs, logger: log).endThose(ofDead: owners)
            try storage.removeUnfinished()
            let watch = JobWatch(store: store, blobs: blobs, logger: log)
            // Where requests are answered, because workers need no way to the Internet.
            let webhooks =
                configuration.roles.contains(.api)
                ? DeliverySender(store: store, configuration: configuration.webhookConfiguration, logger: log) : nil
            self.webhooks = webhooks
            pool =
                configuration.roles.contains(.worker)
                ? WorkerPool(
                    store: store, blobs: blobs, owners: owners,
                    configuration: configuration.workerConfiguration(decoder: decoder), logger: log,
                    meter: WorkerMetrics(metrics),
                    onEvent: { event in
                        watch.note(event)
                        if case .ended = event { webhooks?.notify() }
                    }) : nil
            isStopping = StopFlag()
            Self.followOthers(store, watch, pool, webhooks)
            retention = RetentionSweeper(
                store: store, blobs: blobs, policy: configuration.retentionPolicy, logger: log)
            let isAPI = configuration.roles.contains(.api)
            keys = isAPI ? try Self.keys(configuration, store, log) : nil
            api = Self.api(configuration, store, blobs, pool, keys, watch, isStopping, metrics, log, decoder)
            server = Self.server(configuration, api, metrics, log, requestLog)
            sweeper =
                isAPI
                ? UploadSweeper(
                    uploads: store, blobs: blobs, uploadSeconds: configuration.limits.uploadSeconds, logger: log) : nil
            try configuration.serverConfiguration.validate()
        } catch let failure as CommandFailure {
            throw failure
        } catch let error as JobsError {
            throw CommandFailure(.unavailable, "\(data): \(error.message)")
        } catch let error as HTTPServerError {
            throw CommandFailure(.configuration, error.message)
        } catch {
            let reason = (error as NSError).localizedFailureReason ?? error.localizedDescription
            throw CommandFailure(.cannotCreate, "\(data): cannot be used as the data folder: \(reason)")
        }
    }

    private static func makeDataFolder(_ path: String) throws(CommandFailure) {
        do {
            try PrivateFiles.makeFolders(path)
        } catch {
            throw CommandFailure(.cannotCreate, "\(path): cannot be used as the data folder: \(error.message)")
        }
    }

    private static func store(_ configuration: ServiceConfiguration) throws(CommandFailure) -> any ServiceStore {
        let location = configuration.storeLocation
        do {
            return try location.open(
                retentionSeconds: configuration.retentionPolicy.seconds,
                capacity: configuration.apiConfiguration.queueCapacity)
        } catch {
            throw CommandFailure(.unavailable, "\(location.name): \(error.message)")
        }
    }

    /// Has what other machines do wake those who wait for it here, sooner than their next look at the store.
    private static func followOthers(
        _ store: any ServiceStore, _ watch: JobWatch, _ pool: WorkerPool?, _ webhooks: DeliverySender?
    ) {
        guard let shared = store as? PostgresJobStore else { return }
        shared.onChange { change in
            if change.isQueued { pool?.notifyJobQueued() }
            if change.isEnded { webhooks?.notify() }
            for job in change.jobs ?? [] { watch.jobChanged(job) }
        }
    }

    /// `nil`: everybody may come in.
    private static func keys(
        _ configuration: ServiceConfiguration, _ store: any ServiceStore, _ log: Logger
    ) throws -> KeyRing? {
        guard configuration.authentication == .keys else { return nil }
        let address = configuration.server.address
        let isLoopback = NetworkAddress.isLoopback(address)
        let keys = try KeyRing(store, allowsAnonymous: isLoopback, logger: log)
        guard isLoopback || !keys.isEmpty else {
            throw CommandFailure(
                .configuration,
                "server.address \(address) can be reached by others, and there are no keys: make one with "
                    + "`lktrack keys create`, listen on 127.0.0.1, or spell out that everybody may submit jobs with "
                    + "`auth: none`")
        }
        return keys
    }

    private static func api(
        _ configuration: ServiceConfiguration, _ store: any ServiceStore, _ blobs: any BlobStore, _ pool: WorkerPool?,
        _ keys: KeyRing?, _ watch: JobWatch, _ isStopping: StopFlag, _ metrics: MetricsRegistry, _ log: Logger,
        _ decoder: DecoderCommand
    ) -> TrackingAPI {
        let expected = pool == nil ? 0 : configuration.workerConfiguration(decoder: decoder).workers
        return TrackingAPI(
            store: store, uploads: store, deliveries: store, blobs: blobs,
            media: DecoderMediaServices(limits: configuration.renderingDecodeLimits, decoder: decoder),
            renderer: DecoderVideoRenderer(
                JobRenderer(
                    blobs: blobs, limits: configuration.renderingDecodeLimits, storage: configuration.renderingStorage,
                    decoder: decoder)),
            keys: keys, configuration: configuration.apiConfiguration, version: Version.text, logger: log,
            metrics: metrics,
            health: {
                ServiceHealth(
                    workersExpected: expected, workersAlive: pool?.workersAlive ?? 0, isStopping: isStopping.isSet,
                    missingRestrictions: decoder.tolerated.names)
            },
            onSubmit: { pool?.notifyJobQueued() },
            onCancel: { pool?.notifyCancel($0) }, watch: watch)
    }

    private static func server(
        _ configuration: ServiceConfiguration, _ api: TrackingAPI, _ metrics: MetricsRegistry, _ log: Logger,
        _ requestLog: (@Sendable (HTTPRequestSummary) -> Void)?
    ) -> HTTPServer {
        let server = HTTPServer(
            configuration: configuration.serverConfiguration, application: api, log: log, observer: api.observe,
            requestLog: requestLog)
        ServiceMetrics.register(in: metrics, startTime: Date(), server: server)
        return server
    }

    /// Runs until SIGTERM or SIGINT. Then nothing more is taken in, neither requests nor jobs, and what is under way has
    /// `server.shutdown_seconds` to end: all of it up to the same moment, at which what is left lets go.
    func run() async throws {
        let hurry: @Sendable () -> Void = { [pool, webhooks] in
            pool?.hurry()
            webhooks?.hurry()
        }
        let stopping = StopDeadline(seconds: configuration.server.shutdownSeconds, hurry: hurry)
        decoder.reserve?.fill(for: decoder, limits: configuration.decodeLimits)
        let signals = SecondSignal(log: log, hurry: hurry)
        defer { withExtendedLifetime(signals) {} }
        let group = ServiceGroup(
            configuration: .init(
                services: services(stopping), gracefulShutdownSignals: [.sigterm, .sigint], logger: log))
        var failure: (any Error)?
        do {
            try await group.run()
        } catch {
            failure = error
        }
        // It blocks, which Swift's cooperative threads are not to.
        try await BlockingService.onDispatch { [failure] in try close(after: failure) }
    }

    /// Stopped one after the other, the last one first: the server, whose requests may still make jobs; what tidies up;
    /// the workers, whose jobs still make webhooks' messages; and the senders of those.
    private func services(_ stopping: StopDeadline) -> [any ServiceLifecycle.Service] {
        var services: [any ServiceLifecycle.Service] = []
        if let webhooks {
            services.append(
                BlockingService(start: { webhooks.start() }) { webhooks.stop(by: stopping.begin()) })
        }
        if let pool {
            services.append(BlockingService(start: { try pool.start() }) { pool.stop(by: stopping.begin()) })
        }
        if let keys { services.append(BlockingService(start: keys.start) { stopping.wait(for: keys.stop) }) }
        services.append(BlockingService(start: retention.start) { stopping.wait(for: retention.stop) })
        services.append(BlockingService(start: orphans.start) { stopping.wait(for: orphans.stop) })
        if let sweeper {
            services.append(BlockingService(start: { sweeper.start() }) { stopping.wait(for: sweeper.stop) })
        }
        services.append(BlockingService(start: { try server.start() }) { stopServer(stopping) })
        return services
    }

    /// The first to be stopped: nobody comes in any more, workers begin nothing, and who waits for a job is told so.
    private func stopServer(_ stopping: StopDeadline) {
        let deadline = stopping.begin()
        isStopping.set()
        pool?.stopClaiming()
        api.stop()
        server.stop(by: max(deadline, .now() + Self.answerSeconds))
        stopping.wait(for: api.finishUploads)
    }

    /// Closes what was opened. The registration goes last: until then this process may still write. Blocks.
    private func close(after failure: (any Error)?) throws {
        decoder.reserve?.close()
        defer { owners.close() }
        try store.close()
        if let failure { throw failure }
    }

    /// Who waits for a job is answered when the stop begins; that may take so long in any case. In seconds.
    private static let answerSeconds = 2.0
}
