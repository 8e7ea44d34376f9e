import HTTPServer
import Jobs

/// One job: cancel, delete.
struct JobRoutes: Sendable {
    let services: Services
    let renderings: RenderingQueue

    /// A queued job is canceled when this answers, a running one within a second.
    func cancel(_ context: RequestContext) throws -> HTTPResponse {
        // Not once it is canceled: who gets 503 tries again.
        if !services.textMemory.hasRoom(for: context.tenant) {
            let job = try services.job(context)
            try services.requireRoom(for: job.spec.approximateTextBytes, of: context.tenant)
        }
        let canceled = try unlessChanged(context) { revision in
            try services.store.requestCancel(context.jobID(), tenant: context.tenant, ifRevision: revision)
        }
        guard let job = canceled else { throw RequestContext.noSuchJob }
        guard !job.status.isFinal || job.status == .canceled else {
            throw Problem(.conflict, "The job has ended already: it has \(job.status.rawValue).")
        }
        services.onCancel(job.id)
        services.watch.jobChanged(job.id)
        return .json(
            202, services.body(JobWriter.encoded(job), to: context.tenant),
            fields: [("Location", Self.path(job.id)), ("ETag", services.tag(job).description)])
    }

    /// The row goes first: from then on a worker that runs the job finds its lease lost and publishes nothing, and
    /// whatever a crash leaves behind is an orphan that the sweep removes.
    func delete(_ context: RequestContext) throws -> HTTPResponse {
        let deleted = try unlessChanged(context) { revision in
            try services.store.delete(context.jobID(), tenant: context.tenant, ifRevision: revision)
        }
        guard let job = deleted else { throw RequestContext.noSuchJob }
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

    /// Changes a job that is what the request's conditions ask for at that moment (RFC 9110 §13.1.1).
    private func unlessChanged(_ context: RequestContext, _ change: (_ revision: Int64?) throws -> Job?) throws -> Job?
    {
        let fields = context.request.fields
        guard fields["If-Match"] != nil || fields["If-None-Match"] != nil else { return try change(nil) }
        while true {
            let job = try services.job(context)
            _ = try Conditions.answer(services.tag(job), context.request)
            do {
                return try change(job.revision)
            } catch let error as JobsError where error.code == .otherRevision {
                // It changed in between, and is looked at anew.
                continue
            }
        }
    }

    static func path(_ id: JobID) -> String { "/v1/jobs/\(id)" }
}
