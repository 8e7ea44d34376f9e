import HTTPServer
import Jobs

/// Finds the route of a request and turns whatever is thrown on the way into a problem document.
struct Router: Sendable {
    private let routes: [Route]
    private let tenant: @Sendable (HTTPRequest) -> TenantID

    /// - Parameter tenant: the one place that tells whose request it is.
    init(_ routes: [Route], tenant: @escaping @Sendable (HTTPRequest) -> TenantID) {
        self.routes = routes
        self.tenant = tenant
    }

    func disposition(of request: HTTPRequest) -> HTTPDisposition {
        let matches = routes.compactMap { route in route.match(request.path).map { (route, $0) } }
        guard let pattern = matches.first?.0.pattern else {
            return .respond(Self.response(to: Self.nothingHere(request), request, route: nil))
        }
        if request.method == "OPTIONS" {
            var response = HTTPResponse(status: 204, fields: HTTPFields([("Allow", Self.allow(matches.map(\.0)))]))
            response.route = pattern
            return .respond(response)
        }
        guard let (route, parameters) = matches.first(where: { $0.0.method == request.method }) else {
            return .respond(
                Self.response(to: Self.wrongMethod(request, matches.map(\.0)), request, route: pattern))
        }
        if let unknown = route.unknownParameter(in: request.query) {
            return .respond(Self.response(to: Self.unknownParameter(unknown, route), request, route: pattern))
        }
        return Self.run(
            route, RequestContext(request: request, tenant: tenant(request), parameters: parameters))
    }

    private static func run(_ route: Route, _ context: RequestContext) -> HTTPDisposition {
        switch route.action {
        case .answer(.inline, let action):
            return .respond(answer(context, route: route.pattern) { try action(context) })
        case .answer(.queue, let action):
            return .work { answer(context, route: route.pattern) { try action(context) } }
        case .intake(let action):
            do {
                return try action(context)
            } catch {
                return .respond(response(to: error, context.request, route: route.pattern))
            }
        }
    }

    /// What an action comes to, with its route's name.
    static func answer(
        _ context: RequestContext, route: String, _ action: () throws -> HTTPResponse
    ) -> HTTPResponse {
        do {
            var response = try action()
            response.route = route
            return response
        } catch {
            return response(to: error, context.request, route: route)
        }
    }

    /// The problem document for anything that was thrown. What is no ``Problem`` is a fault of ours: the client learns
    /// the request id, the log the cause.
    static func response(to error: any Error, _ request: HTTPRequest, route: String?) -> HTTPResponse {
        let problem = (error as? Problem) ?? Problem(wrapping: error)
        var response = problem.response(requestID: request.id)
        response.route = route
        return response
    }

    private static func nothingHere(_ request: HTTPRequest) -> Problem {
        Problem(.notFound, "There is nothing at this path. The jobs are at /v1/jobs.")
    }

    private static func wrongMethod(_ request: HTTPRequest, _ routes: [Route]) -> Problem {
        let allow = allow(routes)
        return Problem(
            .methodNotAllowed, "This path answers to \(allow).", fields: HTTPFields([("Allow", allow)]))
    }

    private static func unknownParameter(_ name: String, _ route: Route) -> Problem {
        let known = (route.query ?? []).map { $0.hasSuffix(".") ? $0 + "…" : $0 }
        let hint = known.isEmpty ? "This path takes none." : "It may be \(known.joined(separator: ", "))."
        return Problem.at(
            ClientText.pointer(name), "There is no query parameter \(ClientText.quoted(name)). \(hint)")
    }

    /// RFC 9110 §10.2.1: what a path answers to.
    private static func allow(_ routes: [Route]) -> String {
        var methods: [String] = []
        for method in routes.flatMap({ $0.method == "GET" ? ["GET", "HEAD"] : [$0.method] })
        where !methods.contains(method) {
            methods.append(method)
        }
        return (methods + ["OPTIONS"]).joined(separator: ", ")
    }
}
