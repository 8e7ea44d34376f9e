import Foundation
import HTTPServer
import Jobs

/// `POST /v1/jobs`: which form the body has, and how long it may be.
struct SubmitRoute: Sendable {
    let services: Services

    static let path = "/v1/jobs"

    /// Content types of a bare file, and what it may be. `curl --data-binary` says that it sends a form, whatever it
    /// sends; what the bytes are is told by them.
    private static let rawTypes: [String: [RecognisedMedia.Kind]] = [
        "application/octet-stream": [.video, .archive],
        "application/x-www-form-urlencoded": [.video, .archive],
        "application/zip": [.archive],
        "application/x-tar": [.archive],
        "application/gzip": [.archive],
    ]

    private static let acceptedTypes = ["multipart/form-data", "application/json", "video/*"] + rawTypes.keys.sorted()

    func submit(_ context: RequestContext) throws -> HTTPDisposition {
        if services.health().isStopping { throw Admission.stopping }
        let request = context.request
        guard request.contentLength != nil || request.fields["Transfer-Encoding"] != nil else {
            throw Problem(.lengthRequired, "The body needs a Content-Length, or Transfer-Encoding: chunked.")
        }
        try Self.requireUncoded(request)
        var limit = services.configuration.uploadBytes
        let form: any SubmissionForm
        let text = request.fields["Content-Type"] ?? "application/octet-stream"
        switch MediaType(text) {
        case let type? where type.essence == "multipart/form-data":
            form = try MultipartForm(context, contentType: text, services: services)
        case let type? where type.essence == "application/json":
            form = JSONForm(context, services: services)
            limit = Int64(APILimits.specBytes)
        case let type? where type.type == "video":
            form = try RawForm(context, accepting: [.video], services: services)
        case let type?:
            guard let kinds = Self.rawTypes[type.essence] else { throw Self.unsupported(text) }
            form = try RawForm(context, accepting: kinds, services: services)
        case nil: throw Self.unsupported(text)
        }
        let flight = try IdempotencyKey.of(request).map { try services.flights.begin($0, tenant: context.tenant) }
        let sink = SubmissionSink(form, context: context, route: Self.path, services: services, flight: flight)
        return .receive(sink, limit: limit, tooLarge: tooLarge(limit, request))
    }

    private func tooLarge(_ limit: Int64, _ request: HTTPRequest) -> HTTPResponse {
        let name = limit == services.configuration.uploadBytes ? " (limits.upload_bytes)" : ""
        let problem = Problem(.tooLarge, "The body may have at most \(limit) bytes\(name).")
        return Router.response(to: problem, request, route: Self.path)
    }

    /// RFC 9110 §8.4: a content coding that is not undone is answered with 415, and §12.5.3 with what would be taken.
    static func requireUncoded(_ request: HTTPRequest) throws(Problem) {
        let coding = request.fields.all("Content-Encoding").joined(separator: ", ")
        let isCoded = coding.split(separator: ",").contains { name in
            let name = name.trimmingCharacters(in: .whitespaces).lowercased()
            return !name.isEmpty && name != "identity"
        }
        guard isCoded else { return }
        throw Problem(
            .unsupportedMediaType,
            "The content encoding \(ClientText.quoted(coding)) is not supported. Send the body as it is.",
            fields: HTTPFields([("Accept-Encoding", "identity")]))
    }

    private static func unsupported(_ type: String) -> Problem {
        Problem(
            .unsupportedMediaType,
            """
            The content type \(ClientText.quoted(type)) is not supported. Send multipart/form-data with a file as video, \
            frame or archive; or the file itself as video/*, application/octet-stream, application/zip or \
            application/x-tar; or application/json with a source.
            """,
            // RFC 9110 §15.5.16: what would have been taken.
            fields: HTTPFields([("Accept", acceptedTypes.joined(separator: ", "))]))
    }
}
