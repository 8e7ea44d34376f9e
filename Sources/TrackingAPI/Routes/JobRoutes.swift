import HTTPServer
import Jobs

/// One job: cancel, delete.
struct JobRoutes: Sendable {
    let services: Services
    let renderings: RenderingQueue

    /// A queued job is canceled when this answers, a running one within a second.
    func cancel(_ context: RequestContext) throws -> HTTPResponse {
        guard let job = try services.store.requestCancel(context.jobID(), tenant: context.tenant) else {
            throw RequestContext.noSuchJob
        }
        guard !job.status.isFinal || job.status == .canceled else {
            throw Problem(.conflict, "The job has ended already: it has \(job.status.rawValue).")
        }
        services.onCancel(job.id)
        services.watch.jobChanged(job.id)
        return .json(
            202, JobWriter.json(job),
            fields: [("Location", Self.path(job.id)), ("ETag", services.tag(job).description)])
    }

    /// The row goes first: from then on a worker that runs the job finds its lease lost and publishes nothing, and
    /// whatever a crash leaves behind is an orphan that the sweep removes.
    func delete(_ context: RequestContext) throws -> HTTPResponse {
        guard let job = try services.store.delete(context.jobID(), tenant: context.tenant) else {
            throw RequestContext.noSuchJob
        }
        if !job.status.isFinal { services.onCancel(job.id) }
        renderings.cancel(job.id)
        services.watch.jobChanged(job.id)
        var response = HTTPResponse(status: 204)
        do {
            try services.blobs.remove(job.id.blobPrefix)
        } catch {
            response.logNote = "blobs of a deleted job are left to the sweep: \(error)"
        }
        return response
    }

    static func path(_ id: JobID) -> String { "/v1/jobs/\(id)" }
}
