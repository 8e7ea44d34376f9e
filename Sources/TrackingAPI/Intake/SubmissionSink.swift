import HTTPServer
import Jobs
import Synchronization

/// One of the forms in which a job can be sent. Used by one thread at a time.
///
/// Nothing of a submission is to be seen before ``finish()`` has returned, and nothing is left of it after
/// ``discard()``.
protocol SubmissionForm: Sendable {
    /// Whether the body is what the job keeps, rather than the name of it.
    var isBodyKept: Bool { get }
    /// Takes the next bytes of the body.
    mutating func receive(_ bytes: UnsafeRawBufferPointer) throws
    /// The body is whole: makes the source durable and queues the job, where that has not happened before.
    mutating func finish() throws -> SubmissionOutcome
    /// Closes and removes what is still being written. Waits for the disk.
    mutating func close()
    /// Removes what had become a blob. Waits for the disk or the bucket.
    func removeBlobs()
}

extension SubmissionForm {
    var isBodyKept: Bool { true }

    /// Removes all of it.
    mutating func discard() {
        close()
        removeBlobs()
    }
}

/// Feeds a request's body to a form, answers as soon as something is wrong, and cleans up whatever happens.
final class SubmissionSink: HTTPBodySink {
    private enum Phase { case untouched, open, over }

    private struct State: Sendable {
        var phase = Phase.untouched
        var form: any SubmissionForm
        /// Of a body that did not tell its length: what came since the last look at the quota.
        var uncounted: Int64 = 0
        /// Whether its job is there already: then nothing of it is kept.
        var isRetry = false
    }

    /// Bytes between two looks at the quota.
    private static let interval: Int64 = 16 << 20

    private let request: HTTPRequest
    private let tenant: TenantID
    private let route: String
    private let services: Services
    private let flight: SubmissionFlight?
    /// Bytes of the body that count as the tenant's until the request is over.
    private let arriving: ArrivingShare
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
        arriving = ArrivingShare(services.arriving, of: tenant)
        state = Mutex(State(form: form))
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> HTTPResponse? {
        state.withLock { state in
            guard state.phase != .over else { return nil }
            do {
                try admit(&state)
                try count(Int64(bytes.count), &state)
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
                try countRest(&state)
                let outcome = try state.form.finish()
                if case .replayed = outcome { state.form.discard() }
                end(&state)
                return answer(to: outcome)
            } catch {
                return fail(&state, error)
            }
        }
    }

    /// Comes from a thread that serves connections, which must not wait for the disk or a bucket.
    func abort() {
        let form = state.withLock { state -> (any SubmissionForm)? in
            guard state.phase != .over else { return nil }
            state.phase = .over
            return state.form
        }
        guard let form else { return }
        flight?.end()
        arriving.end()
        services.abortedUploads.close { [services] in
            var form = form
            form.close()
            services.abortedUploads.settle { [form] in form.removeBlobs() }
        }
    }

    private func end(_ state: inout State) {
        state.phase = .over
        arriving.end()
        flight?.end()
    }

    /// Asked when the first bytes come rather than with the head, because it reads the store and the disk.
    private func admit(_ state: inout State) throws {
        guard state.phase == .untouched else { return }
        let bytes = request.contentLength ?? 0
        state.isRetry = try isRetry()
        if state.isRetry {
            // Neither a full queue nor a quota keeps it from its answer.
            try services.space.check(for: bytes)
        } else {
            // Of a body that does not tell there is a byte for sure.
            let stored = state.form.isBodyKept ? max(bytes, 1) : 0
            // It is one of those that are counted as they come.
            if request.contentLength == nil { state.uncounted = -stored }
            let before = arriving.add(stored)
            try Admission(services: services).check(expecting: bytes, storing: stored, after: before, from: tenant)
        }
        state.phase = .open
    }

    /// Stops a body that did not tell its length when it is more than the tenant may store.
    private func count(_ bytes: Int64, _ state: inout State) throws {
        guard request.contentLength == nil, state.form.isBodyKept, !state.isRetry else { return }
        state.uncounted += bytes
        if state.uncounted >= Self.interval { try countRest(&state) }
    }

    private func countRest(_ state: inout State) throws {
        guard state.uncounted > 0 else { return }
        let before = arriving.add(state.uncounted)
        try Admission(services: services).checkStored(for: state.uncounted, after: before, of: tenant)
        state.uncounted = 0
    }

    private func isRetry() throws -> Bool {
        guard let key = try IdempotencyKey.of(request) else { return false }
        return try services.store.attempt(key: key.text, tenant: tenant) != nil
    }

    private func fail(_ state: inout State, _ error: any Error) -> HTTPResponse {
        if state.phase != .over, !Self.mayBeSubmitted(error) { state.form.discard() }
        end(&state)
        return Router.response(to: error, request, route: route)
    }

    /// A job that may be there needs its source: a client that sends the request again, with its key, finds it. Where the
    /// job is not there its blobs are an orphan's, and swept.
    private static func mayBeSubmitted(_ error: any Error) -> Bool { (error as? JobsError)?.code == .unsettled }

    private func answer(to outcome: SubmissionOutcome) -> HTTPResponse {
        var response: HTTPResponse
        switch outcome {
        case .accepted(let job):
            services.onSubmit()
            response = accepted(JobWriter.encoded(job), path: JobRoutes.path(job.id))
        case .replayed(let job, let id):
            response = accepted(job, path: "\(SubmitRoute.path)/\(id)")
            response.fields["Idempotency-Replayed"] = "true"
        }
        // Either way the job's document as it was when it was new.
        response.fields["ETag"] = services.tag(revision: Job.firstRevision).description
        response.route = route
        return response
    }

    private func accepted(_ job: [UInt8], path: String) -> HTTPResponse {
        .json(202, services.body(job, to: tenant), fields: [("Location", path), ("Retry-After", "1")])
    }
}
