import Foundation
import HTTPServer
import Jobs

/// `/v1/uploads`: files that come in pieces, by tus 1.0.0.
struct UploadRoutes: Sendable {
    let services: Services

    static let path = "/v1/uploads"
    static let pattern = path + "/{id}"

    static func path(_ id: UploadID) -> String { "\(path)/\(id)" }

    /// `POST /v1/uploads`, with or without the first bytes.
    func create(_ context: RequestContext) throws -> HTTPDisposition {
        if services.health().isStopping { throw Admission.stopping }
        let request = context.request
        let length = try length(request)
        let metadata = try UploadMetadata(request)
        let hasBody = try Tus.hasBody(request)
        let chunk = UploadChunk(
            offset: 0, count: hasBody ? request.contentLength : 0, checksum: try UploadChecksum.of(request))
        let upload = Upload(
            id: UploadID(services.ids.next()), tenant: context.tenant, length: length, metadata: metadata.text,
            createdAt: services.environment.now(), expiresAt: services.uploadExpiry)
        return receive(chunk, to: .new(upload), context, route: Self.path)
    }

    /// `PATCH /v1/uploads/{id}`: more bytes.
    func append(_ context: RequestContext) throws -> HTTPDisposition {
        if services.health().isStopping { throw Admission.stopping }
        let id = try context.uploadID()
        let request = context.request
        try Tus.requireContentType(request)
        guard let offset = try Tus.bytes("Upload-Offset", request) else {
            throw Problem(.malformed, "Upload-Offset is missing: where in the file the bytes belong.")
        }
        let chunk = UploadChunk(
            offset: offset, count: request.fields["Transfer-Encoding"] == nil ? request.contentLength ?? 0 : nil,
            uploadLength: try Tus.bytes("Upload-Length", request), checksum: try UploadChecksum.of(request))
        return receive(chunk, to: .existing(id), context, route: Self.pattern)
    }

    /// `HEAD /v1/uploads/{id}`, and the same as a document for `GET`.
    func show(_ context: RequestContext) throws -> HTTPResponse {
        let id = try context.uploadID()
        var upload = try services.openUpload(id, tenant: context.tenant)
        let offset = try services.durableOffset(of: upload)
        // Fewer than were written down: unless somebody took or removed the upload meanwhile, which this tells.
        if offset < upload.offset { upload = try services.openUpload(id, tenant: context.tenant) }
        var response = HTTPResponse.json(200, try Self.document(upload, offset: offset))
        response.fields["Upload-Offset"] = String(offset)
        response.fields["Upload-Length"] = upload.length.map { String($0) }
        response.fields["Upload-Defer-Length"] = upload.length == nil ? "1" : nil
        response.fields["Upload-Metadata"] = upload.metadata.isEmpty ? nil : upload.metadata
        response.fields["Upload-Expires"] = Self.expiry(upload)
        response.fields["Cache-Control"] = "no-store"
        return response
    }

    /// `DELETE /v1/uploads/{id}`. A request that is writing to it finds out when it next wants to keep something.
    func delete(_ context: RequestContext) throws -> HTTPResponse {
        let id = try context.uploadID()
        guard let upload = try services.uploads.delete(id, tenant: context.tenant) else {
            throw try services.missingUpload(id, tenant: context.tenant)
        }
        services.removeBytes(of: upload.id)
        return HTTPResponse(status: 204)
    }

    /// - Throws: 413 for an upload that is longer than is taken.
    static func checkLength(_ length: Int64, _ services: Services) throws(Problem) {
        let limit = services.configuration.uploadBytes
        guard length <= limit else {
            throw Problem(.tooLarge, "An upload may have at most \(limit) bytes (limits.upload_bytes), not \(length).")
        }
    }

    static func expiry(_ upload: Upload) -> String { HTTPDate.format(Int64(upload.expiresAt.timeIntervalSince1970)) }

    // MARK: Helpers

    private func receive(
        _ chunk: UploadChunk, to target: UploadSink.Target, _ context: RequestContext, route: String
    ) -> HTTPDisposition {
        let limit = services.configuration.uploadBytes
        let problem = Problem(.tooLarge, "The body may have at most \(limit) bytes (limits.upload_bytes).")
        return .receive(
            UploadSink(chunk, to: target, context: context, route: route, services: services), limit: limit,
            tooLarge: Router.response(to: problem, context.request, route: route))
    }

    /// How long a new upload will be; `nil` where the client promises to tell later.
    private func length(_ request: HTTPRequest) throws(Problem) -> Int64? {
        let length = try Tus.bytes("Upload-Length", request)
        let deferred = try Tus.single("Upload-Defer-Length", request)
        guard deferred == nil || deferred == "1" else {
            throw Problem(.malformed, "Upload-Defer-Length is 1 or not there.")
        }
        guard (length == nil) != (deferred == nil) else {
            throw Problem(
                .malformed,
                "Either Upload-Length tells how many bytes will come, or Upload-Defer-Length: 1 that it is not known yet."
            )
        }
        if let length { try Self.checkLength(length, services) }
        return length
    }

    private static func document(_ upload: Upload, offset: Int64) throws(Problem) -> JSONValue {
        [
            "id": .string(upload.id.description),
            "length": upload.length.map { .int($0) } ?? .null,
            "offset": .int(offset),
            "complete": .bool(offset == upload.length),
            "metadata": try UploadMetadata(upload.metadata).json,
            "created_at": .string(RFC3339.string(upload.createdAt)),
            "expires_at": .string(RFC3339.string(upload.expiresAt)),
            "links": ["self": .string(path(upload.id))],
        ]
    }
}
