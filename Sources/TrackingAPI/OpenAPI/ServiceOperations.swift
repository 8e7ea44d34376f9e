import Jobs
import PrometheusMetrics

/// The service's own pages.
enum ServiceOperations {
    static let all = [landing, alive, ready, metrics, document, page]

    static let schemas: [(String, JSONValue)] = [
        ("Landing", landingSchema), ("Health", health), ("Readiness", readiness), ("Check", check),
    ]

    private static let health = Schema.object([
        .init("status", Schema.choice(["ok"])), .init("version", Schema.string),
    ])

    private static let check = Schema.object([
        .init("name", Schema.choice(["store", "disk", "workers", "lifecycle", "sandbox"])), .init("ok", Schema.boolean),
        .init("detail", Schema.string),
    ])

    private static let readiness = Schema.object([
        .init("status", Schema.choice(["ready"])), .init("checks", Schema.array(Schema.ref("Check"))),
    ])

    private static let landingSchema = Schema.object([
        .init("service", Schema.choice(["lktrack"])), .init("version", Schema.string),
        .init("links", ["type": "object", "additionalProperties": Schema.string]),
    ])

    private static let landing = Operation(
        method: "get", path: "/", id: "getLanding", tag: .service, summary: "The page, or where things are",
        description:
            "For browsers the page that does everything that can be done here; for `Accept: application/json` links.",
        parameters: Parameter.conditions,
        responses: [
            Response(
                200, "A page, or links.",
                headers: ["Vary", "ETag?", "Cache-Control?", "Content-Encoding?", "Content-Security-Policy?"],
                content: [("text/html", Schema.string), ("application/json", Schema.ref("Landing"))]),
            Response(304, "The client has it already.", headers: ["ETag"]),
        ] + Response.always + Response.problems(406, 412),
        curl: "curl -H 'Accept: application/json' localhost:8080/")

    private static let alive = Operation(
        method: "get", path: "/healthz", id: "getHealth", tag: .service, summary: "Whether the process answers",
        responses: [
            Response(200, "It does.", content: [("application/json", Schema.ref("Health"))])
        ] + Response.always,
        curl: "curl localhost:8080/healthz")

    private static let ready = Operation(
        method: "get", path: "/readyz", id: "getReadiness", tag: .service,
        summary: "Whether a job that came now could be worked on",
        responses: [
            Response(200, "It could.", content: [("application/json", Schema.ref("Readiness"))])
        ] + Response.always + Response.problems(503),
        curl: "curl localhost:8080/readyz")

    private static let metrics = Operation(
        method: "get", path: "/metrics", id: "getMetrics", tag: .service, summary: "Metrics for Prometheus",
        responses: [
            Response(
                200, "Everything that is counted.", headers: ["Vary", "Cache-Control"],
                content: [("text/plain", Schema.string), ("application/openmetrics-text", Schema.string)])
        ] + Response.always,
        curl: "curl localhost:8080/metrics")

    private static let document = Operation(
        method: "get", path: DocumentRoutes.documentPath, id: "getOpenAPI", tag: .service, summary: "This document",
        parameters: Parameter.conditions,
        responses: [
            Response(
                200, "OpenAPI 3.1.", headers: ["ETag", "Cache-Control"],
                content: [("application/json", ["type": "object"])]),
            Response(304, "The client has it already.", headers: ["ETag"]),
        ] + Response.always + Response.problems(412),
        curl: "curl localhost:8080/openapi.json")

    private static let page = Operation(
        method: "get", path: DocumentRoutes.pagePath, id: "getDocs", tag: .service,
        summary: "This document, to be read",
        parameters: Parameter.conditions,
        responses: [
            Response(
                200, "A page that loads nothing else.",
                headers: ["ETag", "Cache-Control", "Content-Security-Policy"],
                content: [("text/html", Schema.string)]),
            Response(304, "The client has it already.", headers: ["ETag"]),
        ] + Response.always + Response.problems(412),
        curl: "curl localhost:8080/docs")
}
