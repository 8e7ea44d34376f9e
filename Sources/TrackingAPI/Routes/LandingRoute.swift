import HTTPServer
import Jobs

/// `GET /` for programs: where things are.
struct LandingRoute: Sendable {
    let services: Services

    func index(_ context: RequestContext) -> HTTPResponse {
        .json(
            200,
            [
                "service": "lktrack",
                "version": .string(services.version),
                "links": [
                    "jobs": .string(SubmitRoute.path), "uploads": .string(UploadRoutes.path), "health": "/healthz",
                    "readiness": "/readyz", "openapi": .string(DocumentRoutes.documentPath),
                    "docs": .string(DocumentRoutes.pagePath),
                ],
            ])
    }
}
