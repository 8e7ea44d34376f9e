import HTTPServer
import Jobs

/// `GET /v1/jobs/{id}`, at once or, with `Prefer: wait=N`, when there is something to tell.
struct JobWaitRoute: Sendable {
    let services: Services

    static let pattern = "/v1/jobs/{id}"

    func get(_ context: RequestContext) -> HTTPDisposition {
        guard let wait = RequestPreferences(context.request.fields).wait else {
            return now(context)
        }
        // A proxy in between may give up sooner than a client that asks for more.
        let seconds = min(wait, APILimits.waitSeconds)
        return .later { responder in
            // Who waits gets no thread, and what reads the job for it takes its turn with others.
            services.waits.submit(context.tenant) { hold(context, seconds, responder) }
        }
    }

    private func now(_ context: RequestContext) -> HTTPDisposition {
        let id = context.parameter("id") ?? ""
        if let document = services.documents.current(id, tenant: context.tenant) {
            return .respond(Router.answer(context, route: Self.pattern) { try respond(document, context) })
        }
        return .work {
            Router.answer(context, route: Self.pattern) {
                try respond(
                    services.documents.read(id, tenant: context.tenant) { document(try services.job(context)) }, context
                )
            }
        }
    }

    private func hold(_ context: RequestContext, _ seconds: Int, _ responder: HTTPResponder) {
        do {
            let job = try services.job(context)
            let held = HeldAnswer(to: context, job: job, wait: .seconds(seconds), services: services) {
                job, isHonoured in
                let respond = { @Sendable in
                    responder.respond(
                        Router.answer(context, route: Self.pattern) {
                            try answer(context, job, honouredWait: isHonoured ? seconds : nil)
                        })
                }
                // Whoever woke it must not wait for a long text.
                guard job?.spec.isLong == true else { return respond() }
                services.waits.submit(context.tenant, respond)
            }
            held.hold(job)
        } catch {
            responder.respond(Router.response(to: error, context.request, route: Self.pattern))
        }
    }

    private func answer(_ context: RequestContext, _ job: Job?, honouredWait seconds: Int?) throws -> HTTPResponse {
        if services.watch.isClosed(key: context.key) { throw KeyRing.closed }
        guard let job else { throw RequestContext.noSuchJob }
        var response = try respond(document(job), context)
        if let seconds { response.fields["Preference-Applied"] = "wait=\(seconds)" }
        return response
    }

    private func document(_ job: Job) -> JobDocuments.Document {
        let tag = services.tag(job)
        var response = HTTPResponse.json(200, .bytes(JobWriter.encoded(job)), fields: [("ETag", tag.description)])
        response.route = Self.pattern
        return JobDocuments.Document(tag: tag, response: response)
    }

    private func respond(_ document: JobDocuments.Document, _ context: RequestContext) throws -> HTTPResponse {
        let cacheControl = document.response.fields["Cache-Control"]
        let answer = try Conditions.answer(document.tag, context.request, cacheControl: cacheControl)
        if let answer { return answer }
        // A short one goes out as it is: a connection knows again what it sent last.
        guard case .bytes(let text) = document.response.body, text.count > APILimits.ordinaryTextBytes else {
            return document.response
        }
        try services.requireRoom(for: text.count, of: context.tenant)
        var response = document.response
        response.body = services.body(text, to: context.tenant)
        return response
    }
}
