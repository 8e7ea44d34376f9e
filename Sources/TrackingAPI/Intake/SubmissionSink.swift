import HTTPServer
import Jobs
import Synchronization

/// One of the forms in which a job can be sent. Used by one thread at a time.
///
/// Nothing of a submission is to be seen before ``finish()`` has returned, and nothing is left of it after
/// ``discard()``.
protocol SubmissionForm: Sendable {
    /// Takes the next bytes of the body.
    mutating func receive(_ bytes: UnsafeRawBufferPointer) throws
    /// The body is whole: makes the source durable and queues the job, where that has not happened before.
    mutating func finish() throws -> SubmissionOutcome
    /// Removes what was written.
    mutating func discard()
}

/// Feeds a request's body to a form, answers as soon as something is wrong, and cleans up whatever happens.
final class SubmissionSink: HTTPBodySink {
    private enum Phase { case untouched, open, over }

    private struct State: Sendable {
        var phase = Phase.untouched
        var form: any SubmissionForm
    }

    private let request: HTTPRequest
    private let tenant: TenantID
    private let route: String
    private let services: Services
    private let flight: SubmissionFlight?
    private let state: Mutex<State>

    /// - Parameter flight: what keeps others with the same name out until this is over.
    init(
        _ form: any SubmissionForm, context: RequestContext, route: String, services: Services,
        flight: SubmissionFlight? = nil
    ) {
        request = context.request
        tenant = context.tenant
        self.flight = flight
        self.route = route
        self.services = services
        state = Mutex(State(form: form))
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> HTTPResponse? {
        state.withLock { state in
            guard state.phase != .over else { return nil }
            do {
                try admit(&state)
                try state.form.receive(bytes)
                return nil
            } catch {
                return fail(&state, error)
            }
        }
    }

    func finish() -> HTTPResponse {
        state.withLock { state in
            do {
                guard state.phase != .over else { throw Problem(.malformed, "The request was refused before its end.") }
                try admit(&state)
                let outcome = try state.form.finish()
                if case .replayed = outcome { state.form.discard() }
                end(&state)
                return answer(to: outcome)
            } catch {
                return fail(&state, error)
            }
        }
    }

    func abort() {
        state.withLock { state in
            guard state.phase != .over else { return }
            state.form.discard()
            end(&state)
        }
    }

    private func end(_ state: inout State) {
        state.phase = .over
        flight?.end()
    }

    /// Asked when the first bytes come rather than with the head, because it reads the store and the disk.
    private func admit(_ state: inout State) throws {
        guard state.phase == .untouched else { return }
        if try isRetry() {
            // Its job is there already, so neither a full queue nor a quota keeps it from its answer.
            try services.space.check(for: request.contentLength ?? 0)
        } else {
            try Admission(services: services).check(expecting: request.contentLength ?? 0, from: tenant)
        }
        state.phase = .open
    }

    private func isRetry() throws -> Bool {
        guard let key = try IdempotencyKey.of(request) else { return false }
        return try services.store.attempt(key: key.text, tenant: tenant) != nil
    }

    private func fail(_ state: inout State, _ error: any Error) -> HTTPResponse {
        if state.phase != .over { state.form.discard() }
        end(&state)
        return Router.response(to: error, request, route: route)
    }

    private func answer(to outcome: SubmissionOutcome) -> HTTPResponse {
        var response: HTTPResponse
        switch outcome {
        case .accepted(let job):
            services.onSubmit()
            response = Self.accepted(JobWriter.json(job), path: JobRoutes.path(job.id))
        case .replayed(let job):
            response = Self.accepted(job, path: "\(SubmitRoute.path)/\(job["id"]?.stringValue ?? "")")
            response.fields["Idempotency-Replayed"] = "true"
        }
        // Either way the job's document as it was when it was new.
        response.fields["ETag"] = services.tag(revision: Job.firstRevision).description
        response.route = route
        return response
    }

    private static func accepted(_ job: JSONValue, path: String) -> HTTPResponse {
        .json(202, job, fields: [("Location", path), ("Retry-After", "1")])
    }
}
