import Jobs
import Logging
import PrometheusMetrics

/// What is looked up when metrics are asked for: jobs, queue, disk, workers.
struct StoreMetrics: Sendable {
    let services: Services

    /// Reported as 0 before the first of them, so that a rate is seen from the first on.
    private static let knownFailures: [JobFailure.Code] = [
        .workerLost, .undecodable, .decoderCrashed, .decoderTimeout, .limitExceeded, .invalidSpec, .deadlineExceeded,
        .storageFull, .internalError,
    ]

    /// A part that cannot be looked up is left out, and said to be missing: the rest still tells something.
    func collect() -> [MetricFamily] {
        let parts = [("store", attempt("store", jobs)), ("disk", attempt("disk", disk))]
        let success = parts.map { name, families -> (labels: MetricLabels, value: Double) in
            ([("collector", name)], families == nil ? 0 : 1)
        }
        return parts.flatMap { $0.1 ?? [] } + [
            .gauge(
                "lktrack_collector_success", "Whether a part of these metrics could be looked up (1) or not (0).",
                success)
        ] + health
    }

    private func attempt(_ name: String, _ body: () throws -> [MetricFamily]) -> [MetricFamily]? {
        do {
            return try body()
        } catch {
            services.logger.warning(
                "metrics could not be collected", metadata: ["collector": "\(name)", "error": "\(error)"])
            return nil
        }
    }

    private func jobs() throws -> [MetricFamily] { try queue() + webhooks() }

    private func webhooks() throws -> [MetricFamily] {
        let figures = try services.statistics.deliveryFigures()
        let age = figures.oldestPending.map { max(0, services.environment.now().timeIntervalSince($0)) } ?? 0
        return [
            .counter(
                "lktrack_webhook_deliveries_finished",
                "Webhook messages that were taken by their receiver, or given up, since the database was made.",
                [
                    ([("outcome", "delivered")], Double(figures.delivered)),
                    ([("outcome", "failed")], Double(figures.failed)),
                ]),
            .gauge(
                "lktrack_webhook_deliveries_pending", "Webhook messages that are to be sent, or sent again.",
                Double(figures.pending)),
            .gauge(
                "lktrack_webhook_oldest_pending_age_seconds",
                "How long ago the job of the oldest pending webhook message ended; 0 where none is pending.", age),
        ]
    }

    private func queue() throws -> [MetricFamily] {
        let counts = try services.store.counts()
        let endings = try services.statistics.endings()
        let oldest = try services.statistics.oldestQueued()
        let age = oldest.map { max(0, services.environment.now().timeIntervalSince($0)) } ?? 0
        let codes = Set(Self.knownFailures).union(endings.failures.keys).sorted { $0.rawValue < $1.rawValue }
        return [
            .gauge(
                "lktrack_jobs", "Jobs in the database by state.",
                JobStatus.allCases.map { ([("state", $0.rawValue)], Double(counts[$0] ?? 0)) }),
            .gauge(
                "lktrack_queue_oldest_age_seconds",
                "How long ago the oldest of the queued jobs was submitted; 0 where none is queued.", age),
            .gauge(
                "lktrack_queue_limit_jobs", "Queued jobs beyond which submissions are refused.",
                Double(services.configuration.queuedJobs)),
            .counter(
                "lktrack_jobs_finished", "Jobs that have ended, since the database was made.",
                JobStatus.allCases.filter(\.isFinal).map {
                    ([("outcome", $0.rawValue)], Double(endings.counts[$0] ?? 0))
                }),
            .counter(
                "lktrack_jobs_failed", "Jobs that have failed, by error code, since the database was made.",
                codes.map { ([("code", $0.rawValue)], Double(endings.failures[$0] ?? 0)) }),
        ]
    }

    private func disk() throws -> [MetricFamily] {
        [
            .gauge(
                "lktrack_disk_free_bytes", "Free space where uploads and results are kept.",
                Double(try services.blobs.availableBytes())),
            .gauge(
                "lktrack_disk_reserve_bytes", "Free space below which submissions are refused.",
                Double(services.configuration.diskReserveBytes)),
        ]
    }

    private var health: [MetricFamily] {
        let health = services.health()
        return [
            .gauge(
                "lktrack_workers_expected", "Workers that this process was told to run.", Double(health.workersExpected)
            ),
            .gauge(
                "lktrack_workers_alive", "Workers of this process that take jobs or run one.",
                Double(health.workersAlive)),
            .gauge("lktrack_stopping", "Whether this process is stopping (1).", health.isStopping ? 1 : 0),
            .gauge("lktrack_build_info", "The version that runs; always 1.", 1, [("version", services.version)]),
        ]
    }
}
