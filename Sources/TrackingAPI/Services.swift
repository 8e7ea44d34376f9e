import Jobs
import Logging

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
    let health: @Sendable () -> ServiceHealth
    let onSubmit: @Sendable () -> Void
    let onCancel: @Sendable (JobID) -> Void

    /// The job that a request names.
    func job(_ context: RequestContext) throws -> Job {
        guard let job = try store.job(context.jobID(), tenant: context.tenant) else { throw RequestContext.noSuchJob }
        return job
    }
}
