import TrackingAPI
import Workers

extension JobWatch {
    /// What the workers of this process tell of their jobs.
    func note(_ event: WorkerEvent) {
        switch event {
        case .claimed(let id, _), .progressed(let id), .released(let id), .ended(let id, _), .abandoned(let id):
            jobChanged(id)
        case .flushed(let id): resultGrew(id)
        case .tracked, .interrupted, .decoderRestarted, .offered, .partClaimed, .partEnded: break
        }
    }
}
