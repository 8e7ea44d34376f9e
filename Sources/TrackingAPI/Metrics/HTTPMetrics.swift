import HTTPServer
import PrometheusMetrics

/// Counts finished requests by route pattern, method and class of status.
///
/// A client chooses paths and methods freely, so neither becomes a label as it came: the routes are those of the table,
/// and every series there can be is made beforehand. Counting a request is then a look-up in a table that never changes,
/// and a few atomic additions.
final class HTTPMetrics: Sendable {
    private let routes: [String: RouteSeries]
    private let other: RouteSeries
    /// By what an upload's request was answered with.
    private let rejections: [Int: Counter]
    private let otherRejection: Counter

    /// Patterns beside the table's: no route was found, and one that the table does not know.
    private static let noRoute = "none"
    private static let otherRoute = "other"

    static let rejectionName = "lktrack_uploads_rejected"
    private static let rejectionHelp = "Requests with an upload that were answered with an error, by status."
    private static let rejectionStatuses = [400, 401, 403, 404, 409, 411, 413, 415, 422, 429, 500, 503, 507]

    init(_ table: [Route], registry: MetricsRegistry) {
        var routes: [String: RouteSeries] = [:]
        for route in table {
            let series = routes[route.pattern] ?? RouteSeries(route.pattern)
            if case .intake = route.action { series.intakes.insert(route.method) }
            routes[route.pattern] = series
        }
        routes[Self.noRoute] = RouteSeries(Self.noRoute)
        self.routes = routes
        other = RouteSeries(Self.otherRoute)
        rejections = Dictionary(
            uniqueKeysWithValues: Self.rejectionStatuses.map { status in
                (
                    status,
                    registry.counter(
                        Self.rejectionName, Self.rejectionHelp, labels: [("status", String(status))])
                )
            })
        otherRejection = registry.counter(Self.rejectionName, Self.rejectionHelp, labels: [("status", "other")])
        let all = (Array(routes.values) + [other]).sorted { $0.pattern < $1.pattern }
        registry.register { RouteSeries.families(all) }
    }

    func record(_ summary: HTTPRequestSummary) {
        let route = routes[summary.route] ?? other
        route.record(summary)
        if summary.status >= 400, route.intakes.contains(summary.method) {
            (rejections[summary.status] ?? otherRejection).add()
        }
    }
}

/// What is counted for one route.
private final class RouteSeries: @unchecked Sendable {
    // @unchecked Sendable: `intakes` is filled in before the object is shared, and read only from then on.
    let pattern: String
    /// Methods that take an upload.
    var intakes: Set<String> = []
    private let series = methods.map { _ in MethodSeries() }
    private let received = Counter()
    private let sent = Counter()

    /// As labels; the last stands for all that are none of these.
    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"]

    private struct MethodSeries {
        /// By the status's first digit; 0: the client left before there was one.
        let classes = (0...5).map { _ in Counter() }
        let duration = Histogram(bounds: Histogram.requestBounds)
    }

    init(_ pattern: String) { self.pattern = pattern }

    func record(_ summary: HTTPRequestSummary) {
        let series = series[Self.methods.firstIndex(of: summary.method) ?? Self.methods.count - 1]
        series.classes[min(summary.status / 100, 5)].add()
        series.duration.observe(summary.duration)
        received.add(summary.bytesReceived)
        sent.add(summary.bytesSent)
    }

    /// Of what has come to pass: most pairs of a route and a method never do.
    static func families(_ routes: [RouteSeries]) -> [MetricFamily] {
        var requests: [(labels: MetricLabels, value: MetricFamily.Value)] = []
        var durations: [(labels: MetricLabels, value: MetricFamily.Value)] = []
        var received: [(labels: MetricLabels, value: Double)] = []
        var sent: [(labels: MetricLabels, value: Double)] = []
        for route in routes {
            var isUsed = false
            for (method, series) in zip(methods, route.series) {
                let labels = [(name: "route", value: route.pattern), (name: "method", value: method)]
                let duration = series.duration.snapshot
                guard duration.count > 0 else { continue }
                isUsed = true
                durations.append((labels, .histogram(duration)))
                for (number, counter) in series.classes.enumerated() where counter.value > 0 {
                    let status = number == 0 ? "none" : "\(number)xx"
                    requests.append((labels + [("status", status)], .number(counter.value)))
                }
            }
            guard isUsed else { continue }
            received.append(([("route", route.pattern)], route.received.value))
            sent.append(([("route", route.pattern)], route.sent.value))
        }
        return [
            MetricFamily(
                "lktrack_http_requests", "Finished requests; status none: the client left before an answer.", .counter,
                requests),
            MetricFamily(
                "lktrack_http_request_duration_seconds",
                "From the head of a request to the end of its response, uploads and waiting included.", .histogram,
                durations),
            .counter("lktrack_http_request_bytes", "Bytes of the bodies of requests.", received),
            .counter("lktrack_http_response_bytes", "Bytes of the bodies of responses.", sent),
        ]
    }
}
