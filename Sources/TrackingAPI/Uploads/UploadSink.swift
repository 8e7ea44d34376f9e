import HTTPServer
import Jobs
import Synchronization

/// Feeds a request's body to an upload: one that is there (PATCH), or one that the same request creates (POST).
final class UploadSink: HTTPBodySink {
    enum Target: Sendable {
        case existing(UploadID)
        case new(Upload)
    }

    private struct State: Sendable {
        var writer: UploadWriter?
        /// The row is written; only for a new upload.
        var isCreated = false
        var isOver = false
    }

    private let target: Target
    private let chunk: UploadChunk
    private let context: RequestContext
    private let route: String
    private let services: Services
    private let state = Mutex(State())

    init(_ chunk: UploadChunk, to target: Target, context: RequestContext, route: String, services: Services) {
        self.target = target
        self.chunk = chunk
        self.context = context
        self.route = route
        self.services = services
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> HTTPResponse? {
        state.withLock { state in
            guard !state.isOver else { return nil }
            do {
                try open(&state)
                try state.writer?.write(bytes)
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
                try open(&state)
                let upload = try state.writer?.finish() ?? created(state)
                state.isOver = true
                return answer(upload)
            } catch {
                return fail(&state, error)
            }
        }
    }

    /// Comes from a thread that serves connections, which must not wait for the disk.
    func abort() {
        let (rest, isFirst) = state.withLock { state in
            defer { state.isOver = true }
            return (state, !state.isOver)
        }
        guard isFirst, rest.writer != nil || rest.isCreated else { return }
        services.abortedUploads.settle { [self] in
            var rest = rest
            cleanUp(&rest)
        }
    }

    // MARK: Helpers

    /// When the first bytes come rather than with the head, because it reads the store and the disk.
    private func open(_ state: inout State) throws {
        guard state.writer == nil, !state.isCreated else { return }
        switch target {
        case .existing(let id):
            state.writer = try UploadWriter(chunk, to: id, tenant: context.tenant, services: services)
        case .new(let upload):
            let bytes = upload.length ?? chunk.count ?? 0
            let most = services.configuration.openUploads
            let isCreated = try Admission(services: services).storing(bytes, of: context.tenant) {
                try services.space.check(for: bytes)
                return try services.uploads.create(upload, atMost: most)
            }
            guard isCreated else {
                throw Problem(
                    .tooManyUploads,
                    "\(most) uploads are open already. Finish them, submit their jobs, or remove them; they expire by themselves."
                ).overQuota(QuotaPolicy.openUploads, most).retryAfter(60)
            }
            state.isCreated = true
            guard chunk.count != 0 else { return }
            state.writer = try UploadWriter(chunk, to: upload.id, tenant: context.tenant, services: services)
        }
    }

    /// An upload that was created without any bytes.
    private func created(_ state: State) throws -> Upload {
        guard case .new(let upload) = target, state.isCreated else { throw RequestContext.noSuchUpload }
        return upload
    }

    private func fail(_ state: inout State, _ error: any Error) -> HTTPResponse {
        if !state.isOver { cleanUp(&state) }
        state.isOver = true
        return Router.response(to: error, context.request, route: route)
    }

    /// An upload whose creation was not answered is of no use: nobody knows its address.
    private func cleanUp(_ state: inout State) {
        guard case .new(let upload) = target else {
            state.writer?.giveUp()
            return
        }
        guard state.isCreated else { return }
        state.writer?.close()
        do {
            _ = try services.uploads.delete(upload.id, tenant: upload.tenant)
            services.removeBytes(of: upload.id)
        } catch {
            services.logger.error(
                "an upload is left to expire", metadata: ["upload": "\(upload.id)", "error": "\(error)"])
        }
    }

    private func answer(_ upload: Upload) -> HTTPResponse {
        var response = HTTPResponse(status: 204)
        if case .new = target {
            response.status = 201
            response.fields["Location"] = UploadRoutes.path(upload.id)
        }
        response.fields["Upload-Offset"] = String(upload.offset)
        response.fields["Upload-Expires"] = UploadRoutes.expiry(upload)
        response.fields["Cache-Control"] = "no-store"
        response.route = route
        return response
    }
}
