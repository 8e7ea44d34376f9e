import HTTPServer
import Jobs
import Logging
import PrometheusMetrics

/// What the handlers work with.
struct Services: Sendable {
    let store: any JobStore
    let blobs: any BlobStore
    let media: any MediaServices
    let ids: JobIDGenerator
    let environment: any Environment
    let configuration: APIConfiguration
    let version: String
    let logger: Logger
    let statistics: any QueueStatistics
    let metrics: MetricsRegistry
    let health: @Sendable () -> ServiceHealth
    let onSubmit: @Sendable () -> Void
    let onCancel: @Sendable (JobID) -> Void
    let watch: JobWatch

    /// Of the job's own document, which depends on its row alone; the revision grows with every change of that.
    func tag(_ job: Job) -> EntityTag { EntityTag("\(version)-\(job.revision)") }

    /// The job that a request names.
    func job(_ context: RequestContext) throws -> Job {
        guard let job = try store.job(context.jobID(), tenant: context.tenant) else { throw RequestContext.noSuchJob }
        return job
    }
}
