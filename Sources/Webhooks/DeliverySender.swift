import Dispatch
import Foundation
import Jobs
import Logging
import Synchronization

/// Sends what is due: one thread looks for it, a few others send. Several processes may do so over one store.
public final class DeliverySender: Sendable {
    private struct State {
        /// Messages that are being sent, by host and by tenant.
        var hosts: [String: Int] = [:]
        var tenants: [TenantID: Int] = [:]
        var count: Int { hosts.values.reduce(0, +) }

        /// Counts a message that begins or ends.
        mutating func change(_ claimed: ClaimedDelivery, by step: Int) {
            let counts = (hosts[claimed.message.url.host, default: 0], tenants[claimed.tenant, default: 0])
            hosts[claimed.message.url.host] = counts.0 + step == 0 ? nil : counts.0 + step
            tenants[claimed.tenant] = counts.1 + step == 0 ? nil : counts.1 + step
        }
    }

    private let store: any DeliveryStore
    private let run: DeliveryRun
    private let configuration: WebhookConfiguration
    private let logger: Logger
    private let state = Mutex(State())
    private let isStopping = Atomic(false)
    /// Messages on their way must be given back now.
    private let isInterrupting = Atomic(false)
    private let signal = WakeSignal()
    private let looking = DispatchGroup()
    private let sending = DispatchGroup()

    /// How long messages on their way may take to be given back once they are told to, at the deadline of ``stop(by:)``:
    /// libcurl asks once a second whether it should go on. A look-up of a name that takes longer is left alone.
    private static let stopSeconds = 5.0

    public init(
        store: any DeliveryStore, configuration: WebhookConfiguration, transport: (any WebhookTransport)? = nil,
        resolver: any NameResolver = SystemNameResolver(), environment: any Environment = SystemEnvironment(),
        logger: Logger
    ) {
        self.store = store
        self.configuration = configuration
        self.logger = logger
        run = DeliveryRun(
            transport: transport ?? CurlTransport(configuration), resolver: resolver, configuration: configuration,
            environment: environment)
    }

    public func start() {
        looking.enter()
        DispatchQueue(label: "webhooks.look").async { [self] in
            while true {
                // Before the stop is looked at, so that none is missed in between.
                let seen = signal.seen
                guard !isStopping.load(ordering: .acquiring) else { break }
                dispatchDue()
                signal.wait(since: seen, seconds: configuration.pollSeconds)
            }
            looking.leave()
        }
    }

    /// Something may be due: a job has ended.
    public func notify() { signal.notify() }

    /// Ends the wait of ``stop(by:)``: nothing more is sent, and what is on its way is given back at once. From any thread.
    public func hurry() {
        isInterrupting.store(true, ordering: .releasing)
        isStopping.store(true, ordering: .sequentiallyConsistent)
        signal.notify()
    }

    /// Sends nothing more but what is on its way, and gives back what has not arrived by the deadline. Blocks until then.
    public func stop(by deadline: DispatchTime = .now()) {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        signal.notify()
        looking.wait()
        if sending.wait(timeout: deadline) == .timedOut {
            hurry()
            if sending.wait(timeout: deadline + Self.stopSeconds) == .timedOut {
                logger.warning("webhooks on their way are sent again when their leases run out")
            }
        }
    }

    /// Takes all that is due, as far as there are senders for it.
    private func dispatchDue() {
        while !isStopping.load(ordering: .acquiring), let claimed = claim() {
            state.withLock { $0.change(claimed, by: 1) }
            sending.enter()
            // A serial queue gets a thread at once. A concurrent one waits for a processor that is free, which those
            // that track may not leave for minutes.
            DispatchQueue(label: "webhooks.send").async { [self] in
                send(claimed)
                state.withLock { $0.change(claimed, by: -1) }
                signal.notify()
                sending.leave()
            }
        }
    }

    private func claim() -> ClaimedDelivery? {
        let (isFree, hosts, tenants) = state.withLock { state in
            (
                state.count < configuration.senders,
                Set(state.hosts.filter { $0.value >= configuration.sendersPerHost }.keys),
                // Without keys there are no others.
                Set(state.tenants.filter { $0.key != .anonymous && $0.value >= configuration.sendersPerTenant }.keys)
            )
        }
        guard isFree else { return nil }
        do {
            return try store.claimDelivery(
                leaseSeconds: configuration.leaseSeconds, exceptHosts: hosts, exceptTenants: tenants)
        } catch {
            logger.error("no webhook could be claimed", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Makes one attempt and writes down what came of it. What cannot be written down is sent again.
    private func send(_ claimed: ClaimedDelivery) {
        let result = run.run(claimed) { [self] in isInterrupting.load(ordering: .acquiring) }
        do {
            switch result {
            case .interrupted: _ = try store.release(claimed.lease)
            case .done(let attempt, let state):
                let isKept = try store.record(attempt, then: state, lease: claimed.lease)
                log(claimed, attempt, isKept ? state : nil)
            }
        } catch {
            logger.error(
                "what came of a webhook could not be stored",
                metadata: ["delivery": "\(claimed.message.id)", "job": "\(claimed.message.job)", "error": "\(error)"])
        }
    }

    /// Not the URL, which may hold a token.
    private func log(_ claimed: ClaimedDelivery, _ attempt: DeliveryAttempt, _ state: DeliveryState?) {
        var metadata: Logger.Metadata = [
            "delivery": "\(claimed.message.id)", "job": "\(claimed.message.job)", "host": "\(claimed.message.url.host)",
            "attempt": "\(attempt.number)", "duration_ms": .stringConvertible(attempt.milliseconds),
        ]
        if let status = attempt.status { metadata["status"] = .stringConvertible(status) }
        if let error = attempt.error { metadata["error"] = .string(error) }
        switch state {
        case .delivered: logger.info("webhook delivered", metadata: metadata)
        case .pending(let due):
            metadata["next_attempt_at"] = .string(RFC3339.string(due))
            logger.info("webhook to be sent again", metadata: metadata)
        case .failed: logger.warning("webhook given up", metadata: metadata)
        case nil: logger.info("webhook of a job that is gone", metadata: metadata)
        }
    }
}
