import Dispatch
import Foundation
import Jobs
import Synchronization

/// Videos that were asked for, made in the background a few at a time, each once however many ask. Tenants take turns.
///
/// What is made is a blob; whoever asks looks for that first. A process that dies leaves no half-made one, and the next
/// request starts anew.
final class RenderingQueue: Sendable {
    /// How a rendering that was asked for stands.
    enum Progress {
        /// It waits, or is being made.
        case working
        /// It went wrong a short while ago, and will be tried again after so many seconds.
        case failed(MediaServiceError, retrySeconds: Int)
        /// Too many wait already, or the service is stopping.
        case refused
    }

    private struct State {
        var turns = TenantTurns<VideoRendering>()
        /// By key, of those that wait or are made.
        var wanted: [String: JobID] = [:]
        var failures: [String: (error: MediaServiceError, until: Date)] = [:]
        var isClosed = false
    }

    /// How long a failure is remembered: long enough that a client that polls learns of it.
    static let failureSeconds = 30.0

    private let services: Services
    private let renderer: any VideoRenderer
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "renderings", attributes: .concurrent)

    init(_ services: Services, renderer: any VideoRenderer) {
        self.services = services
        self.renderer = renderer
    }

    /// Sees to it that a video is made.
    func request(_ rendering: VideoRendering) -> Progress {
        let now = services.environment.now()
        let progress = state.withLock { state -> Progress in
            state.failures = state.failures.filter { $0.value.until > now }
            if let failure = state.failures[rendering.key] {
                let seconds = Int(failure.until.timeIntervalSince(now).rounded(.up))
                return .failed(failure.error, retrySeconds: max(seconds, 1))
            }
            if state.wanted[rendering.key] != nil { return .working }
            let tenant = rendering.job.tenant
            let places = services.configuration.waitingRenderings
            guard !state.isClosed, state.turns.count < places,
                state.turns.count(of: tenant) < TenantShare.of(places, for: tenant)
            else { return .refused }
            state.wanted[rendering.key] = rendering.job.id
            state.turns.add(rendering, of: tenant)
            return .working
        }
        startNext()
        return progress
    }

    /// Ends the renderings of a job that was deleted.
    func cancel(_ job: JobID) { forget { $0 == job } }

    /// Ends all renderings and takes no more.
    func close() {
        state.withLock { $0.isClosed = true }
        forget { _ in true }
    }

    private func forget(where isForgotten: @Sendable (JobID) -> Bool) {
        state.withLock { state in
            state.wanted = state.wanted.filter { !isForgotten($0.value) }
            state.turns.removeAll { isForgotten($0.job.id) }
        }
    }

    private func startNext() {
        let next = state.withLock { $0.turns.next(limit: services.configuration.renderings) }
        guard let (rendering, tenant) = next else { return }
        queue.async { [self] in
            make(rendering)
            state.withLock { $0.turns.ended(tenant) }
            startNext()
        }
    }

    private func make(_ rendering: VideoRendering) {
        // Once more: those before it may have taken what the tenant had left. The next request for it is told so.
        guard (try? Admission(services: services).checkStored(for: 1, of: rendering.job.tenant)) != nil else {
            state.withLock { _ = $0.wanted.removeValue(forKey: rendering.key) }
            return
        }
        var failure: MediaServiceError?
        do throws(MediaServiceError) {
            try renderer.render(rendering) { [self] in isWanted(rendering.key) }
            failure = publish(rendering)
        } catch {
            failure = error
        }
        if let failure, failure.code != .canceled { log(failure, rendering) }
        let until = services.environment.now().addingTimeInterval(Self.failureSeconds)
        state.withLock { state in
            // A job that was deleted has nobody who asks.
            guard state.wanted.removeValue(forKey: rendering.key) != nil, let failure else { return }
            state.failures[rendering.key] = (failure, until)
        }
    }

    /// Whether it is being made, or is to be.
    func isWanted(_ key: String) -> Bool { state.withLock { $0.wanted[key] != nil } }

    /// Tells the job of its video. A job that was deleted meanwhile takes everything with it.
    private func publish(_ rendering: VideoRendering) -> MediaServiceError? {
        let job = rendering.job.id
        do {
            guard try services.store.exists(job) else {
                try services.blobs.remove(job.blobPrefix)
                return MediaServiceError(.canceled, "the job was deleted")
            }
            try services.store.addStoredBytes(services.blobs.bytes(of: [rendering.key]), to: job)
            if case .annotated = rendering.content { _ = try services.store.attachVideo(rendering.key, job: job) }
            return nil
        } catch {
            return MediaServiceError(.unavailable, String(describing: error))
        }
    }

    private func log(_ failure: MediaServiceError, _ rendering: VideoRendering) {
        services.logger.warning(
            "video could not be rendered",
            metadata: [
                "job": .string(rendering.job.id.description), "key": .string(rendering.key),
                "code": .string(failure.code.rawValue), "error": .string(failure.message),
            ])
    }
}
