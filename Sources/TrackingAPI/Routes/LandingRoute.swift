import HTTPServer
import Jobs

/// `GET /`: where things are.
struct LandingRoute: Sendable {
    let services: Services

    func index(_ context: RequestContext) -> HTTPResponse {
        .json(
            200,
            [
                "service": "lktrack",
                "version": .string(services.version),
                "links": ["jobs": .string(SubmitRoute.path), "health": "/healthz", "readiness": "/readyz"],
            ])
    }
}
