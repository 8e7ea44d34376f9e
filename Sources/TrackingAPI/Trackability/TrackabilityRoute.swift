import HTTPServer
import Jobs

/// `POST /v1/trackability`: how well boxes on a picture can be tracked, before a job is submitted.
struct TrackabilityRoute: Sendable {
    static let path = "/v1/trackability"
    static let parameters = BoxFields.names

    let services: Services
    /// Shared with whatever else decodes single frames.
    let decodes: ConcurrencyLimit

    private static let acceptedTypes = [
        "multipart/form-data", "application/json", "image/*", "application/octet-stream",
    ]

    func judge(_ context: RequestContext) throws -> HTTPDisposition {
        if services.health().isStopping { throw Admission.stopping }
        let request = context.request
        guard request.contentLength != nil || request.fields["Transfer-Encoding"] != nil else {
            throw Problem(.lengthRequired, "The body needs a Content-Length, or Transfer-Encoding: chunked.")
        }
        try SubmitRoute.requireUncoded(request)
        var limit = min(Int64(APILimits.imageBytes), services.configuration.uploadBytes)
        let form: any PictureForm
        let text = request.fields["Content-Type"] ?? "application/octet-stream"
        switch MediaType(text) {
        case let type? where type.essence == "multipart/form-data":
            form = try MultipartPicture(context, contentType: text, services: services)
        case let type? where type.essence == "application/json":
            form = try JSONPicture(context, services: services)
            limit = Int64(APILimits.boxesBytes)
        // `curl --data-binary` says that it sends a form, whatever it sends.
        case let type?
        where type.type == "image" || type.essence == "application/octet-stream"
            || type.essence == "application/x-www-form-urlencoded":
            form = try RawPicture(context, services: services)
        default:
            throw Problem(
                .unsupportedMediaType,
                """
                The content type \(ClientText.quoted(text)) is not supported. Send multipart/form-data with a file as \
                image; or the image itself as image/*; or application/json with an upload or a job.
                """,
                fields: HTTPFields([("Accept", Self.acceptedTypes.joined(separator: ", "))]))
        }
        let tooLarge = Problem(.tooLarge, "The body may have at most \(limit) bytes.")
        let sink = TrackabilitySink(form, request: request, services: services) { try answer($0, context) }
        return .receive(sink, limit: limit, tooLarge: Router.response(to: tooLarge, request, route: Self.path))
    }

    private func answer(_ order: PictureOrder, _ context: RequestContext) throws -> HTTPResponse {
        let found: PictureTrackability
        do {
            let result = try decodes.run(context.tenant) { () throws(MediaServiceError) in
                try services.media.trackability(
                    of: order.boxes, on: order.picture, isWanted: services.isAwaited(context.request))
            }
            guard let result else { throw MediaServiceError.tooManyDecodes }
            found = result
        } catch let error as MediaServiceError {
            throw Self.problem(error, order)
        }
        let outside = found.boxes.indices.filter { found.boxes[$0] == nil }
        guard outside.isEmpty else {
            let detail = "lies outside the picture of \(found.width)×\(found.height) pixels"
            let pointer = ClientText.pointer(order.boxField)
            throw Problem(
                invalid: outside.map {
                    Problem.FieldError(
                        pointer: order.boxField == "boxes" ? "\(pointer)/\($0)" : pointer, detail: detail)
                })
        }
        return .json(
            200,
            [
                "width": .int(found.width), "height": .int(found.height),
                "boxes": .array(found.boxes.compactMap { $0?.json }),
            ])
    }

    /// What is wrong with the picture is the request's fault, which names it.
    private static func problem(_ error: MediaServiceError, _ order: PictureOrder) -> Problem {
        switch error.code {
        case .frameNotFound: .at("#/frame", error.message)
        case .undecodable, .limitExceeded: .at(order.pointer, error.message)
        default: Problem(error)
        }
    }
}
