import HTTPServer
import Synchronization

/// Feeds a request's body to a form, and removes what came of it when the answer is made, whatever that is.
final class TrackabilitySink: HTTPBodySink {
    private struct State: Sendable {
        var form: any PictureForm
        var isOver = false
        var isAdmitted = false
    }

    private let request: HTTPRequest
    private let services: Services
    private let answer: @Sendable (PictureOrder) throws -> HTTPResponse
    private let state: Mutex<State>

    init(
        _ form: any PictureForm, request: HTTPRequest, services: Services,
        answer: @escaping @Sendable (PictureOrder) throws -> HTTPResponse
    ) {
        self.request = request
        self.services = services
        self.answer = answer
        state = Mutex(State(form: form))
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> HTTPResponse? {
        state.withLock { state in
            guard !state.isOver else { return nil }
            do {
                if !state.isAdmitted {
                    try services.space.check(for: request.contentLength ?? 0)
                    state.isAdmitted = true
                }
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
                guard !state.isOver else { throw Problem(.malformed, "The request was refused before its end.") }
                var response = try answer(state.form.finish())
                end(&state)
                response.route = TrackabilityRoute.path
                return response
            } catch {
                return fail(&state, error)
            }
        }
    }

    /// Comes from a thread that serves connections, which must not wait for the disk.
    func abort() {
        let form = state.withLock { state -> (any PictureForm)? in
            guard !state.isOver else { return nil }
            state.isOver = true
            return state.form
        }
        guard let form else { return }
        services.abortedUploads.close { form.discard() }
    }

    private func end(_ state: inout State) {
        guard !state.isOver else { return }
        state.isOver = true
        state.form.discard()
    }

    private func fail(_ state: inout State, _ error: any Error) -> HTTPResponse {
        end(&state)
        return Router.response(to: error, request, route: TrackabilityRoute.path)
    }
}
