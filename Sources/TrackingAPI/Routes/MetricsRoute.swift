import HTTPServer
import PrometheusMetrics

/// `GET /metrics`: everything that is counted, for Prometheus.
struct MetricsRoute: Sendable {
    let services: Services

    /// Who accepts neither format gets the older one, as from every other exporter.
    func metrics(_ context: RequestContext) -> HTTPResponse {
        let offers = ExpositionFormat.allCases.compactMap { format in
            MediaType(format.mediaType).map { (type: $0, format: format) }
        }
        let accept = context.request.fields.all("Accept").joined(separator: ", ")
        let best = ContentNegotiation.best(offers.map(\.type), accept: accept.isEmpty ? nil : accept)
        let format = offers.first { $0.type == best }?.format ?? .text
        return HTTPResponse(
            status: 200,
            fields: HTTPFields([
                ("Content-Type", format.mediaType), ("Cache-Control", "no-store"), ("Vary", "Accept"),
            ]),
            body: .bytes(format.write(services.metrics.families() + StoreMetrics(services: services).collect())))
    }
}
