import HTTPServer
import Jobs

/// Finds the route of a request and turns whatever is thrown on the way into a problem document.
struct Router: Sendable {
    let routes: [Route]
    /// Those that a path of so many segments can fit, so that a request passes few of them by.
    private let routesByLength: [[Route]]
    private let access: AccessControl
    private let blobRequests: BlobRequests

    init(_ routes: [Route], access: AccessControl, blobRequests: BlobRequests) {
        self.routes = routes
        self.access = access
        self.blobRequests = blobRequests
        let longest = routes.map(\.segmentCount).max() ?? 0
        routesByLength = (0...max(longest, 1)).map { length in routes.filter { $0.canFit(segments: length) } }
    }

    /// The routes that a path of as many segments can fit.
    private func candidates(_ path: [String]) -> [Route] {
        path.count < routesByLength.count ? routesByLength[path.count] : []
    }

    func disposition(of request: HTTPRequest) -> HTTPDisposition {
        // RFC 9110 §9.3.7: of the server as a whole.
        if request.method == "OPTIONS", request.target == "*" {
            return .respond(HTTPResponse(status: 204, fields: HTTPFields([("Allow", Self.allow(routes))])))
        }
        let path = request.path
        let candidates = candidates(path)
        guard let pattern = candidates.first(where: { $0.fits(path) })?.pattern else {
            return .respond(Self.response(to: Self.nothingHere(request), request, route: nil))
        }
        if request.method == "OPTIONS" {
            let allowed = Self.allow(candidates.filter { $0.fits(path) })
            var response = HTTPResponse(status: 204, fields: HTTPFields([("Allow", allowed)]))
            response.route = pattern
            return .respond(response)
        }
        do throws(Problem) {
            let (caller, verdict) = try access.admit(request, to: pattern)
            let disposition = dispatch(request, candidates, pattern, caller)
            guard let verdict else { return disposition }
            return disposition.mappingResponses { response in
                var response = response
                verdict.describe(in: &response.fields)
                return response
            }
        } catch {
            return .respond(Self.response(to: error, request, route: pattern))
        }
    }

    /// - Parameter candidates: the routes that the path may fit.
    private func dispatch(
        _ request: HTTPRequest, _ candidates: [Route], _ pattern: String, _ caller: Caller
    ) -> HTTPDisposition {
        let path = request.path
        let method = request.method
        guard let route = candidates.first(where: { $0.method == method && $0.fits(path) }),
            let parameters = route.match(path)
        else {
            let problem = Self.wrongMethod(request, candidates.filter { $0.fits(path) })
            return .respond(Self.response(to: problem, request, route: pattern))
        }
        if let unknown = route.unknownParameter(in: request.query) {
            return .respond(Self.response(to: Self.unknownParameter(unknown, route), request, route: pattern))
        }
        return run(
            route,
            RequestContext(request: request, tenant: caller.tenant, key: caller.key, parameters: parameters))
    }

    /// Whether there is anything for the request's path and method.
    func hasRoute(for request: HTTPRequest) -> Bool {
        candidates(request.path).contains { $0.method == request.method && $0.fits(request.path) }
    }

    private func run(_ route: Route, _ context: RequestContext) -> HTTPDisposition {
        do {
            switch route.action {
            case .answer(let place, let action): return answer(context, at: place, route.pattern, action)
            case .answerWhere(let place, let action): return answer(context, at: place(context), route.pattern, action)
            case .intake(let action): return try action(context)
            }
        } catch {
            return .respond(Self.response(to: error, context.request, route: route.pattern))
        }
    }

    private func answer(
        _ context: RequestContext, at place: Route.Place, _ route: String,
        _ action: @escaping @Sendable (RequestContext) throws -> HTTPResponse
    ) -> HTTPDisposition {
        let answer = { @Sendable in Self.answer(context, route: route) { try action(context) } }
        switch place {
        case .inline: return .respond(answer())
        case .queue: return .work(answer)
        case .blobs: return blobRequests.disposition(of: context, route: route, answer)
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
        let problem = Problem(wrapping: error)
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

    /// RFC 9110 §10.2.1: what these answer to.
    private static func allow(_ routes: [Route]) -> String {
        var methods: [String] = []
        for method in routes.flatMap({ $0.method == "GET" ? ["GET", "HEAD"] : [$0.method] })
        where !methods.contains(method) {
            methods.append(method)
        }
        return (methods + ["OPTIONS"]).joined(separator: ", ")
    }
}
