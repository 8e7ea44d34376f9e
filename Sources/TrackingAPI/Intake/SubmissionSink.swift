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
    /// The body is whole: makes the source durable, queues the job and returns it.
    mutating func finish() throws -> Job
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
    private let route: String
    private let services: Services
    private let state: Mutex<State>

    init(_ form: any SubmissionForm, context: RequestContext, route: String, services: Services) {
        request = context.request
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
                let job = try state.form.finish()
                state.phase = .over
                services.onSubmit()
                return accepted(job)
            } catch {
                return fail(&state, error)
            }
        }
    }

    func abort() {
        state.withLock { state in
            guard state.phase != .over else { return }
            state.phase = .over
            state.form.discard()
        }
    }

    /// Asked when the first bytes come rather than with the head, because it reads the store and the disk.
    private func admit(_ state: inout State) throws {
        guard state.phase == .untouched else { return }
        try Admission(services: services).check(expecting: request.contentLength ?? 0)
        state.phase = .open
    }

    private func fail(_ state: inout State, _ error: any Error) -> HTTPResponse {
        if state.phase != .over { state.form.discard() }
        state.phase = .over
        return Router.response(to: error, request, route: route)
    }

    private func accepted(_ job: Job) -> HTTPResponse {
        var response = HTTPResponse.json(
            202, JobWriter.json(job),
            fields: [
                ("Location", JobRoutes.path(job.id)), ("Retry-After", "1"), ("ETag", services.tag(job).description),
            ])
        response.route = route
        return response
    }
}
