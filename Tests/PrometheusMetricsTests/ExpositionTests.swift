import PrometheusMetrics
import Testing

@Suite("Exposition")
struct ExpositionTests {
    private func lines(_ format: ExpositionFormat, _ families: [MetricFamily]) -> [String] {
        String(decoding: format.write(families), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("a counter has its help, its type and `_total`, which OpenMetrics leaves out of the family's name")
    func counter() {
        let family = MetricFamily.counter("a_things", "Things.", 3, [("kind", "x")])
        #expect(
            lines(.text, [family]) == [
                "# HELP a_things_total Things.", "# TYPE a_things_total counter", "a_things_total{kind=\"x\"} 3",
            ])
        #expect(
            lines(.openMetrics, [family]) == [
                "# HELP a_things Things.", "# TYPE a_things counter", "a_things_total{kind=\"x\"} 3", "# EOF",
            ])
    }

    @Test("what would end a line or a label is escaped")
    func escaping() {
        let family = MetricFamily.gauge("a", "one\ntwo \\ \"three\"", 1.5, [("b", "c\"d\\e\nf")])
        #expect(
            lines(.text, [family]) == [
                "# HELP a one\\ntwo \\\\ \"three\"", "# TYPE a gauge", "a{b=\"c\\\"d\\\\e\\nf\"} 1.5",
            ])
        #expect(lines(.openMetrics, [family])[0] == "# HELP a one\\ntwo \\\\ \\\"three\\\"")
    }

    @Test("numbers are whole where they are, and infinities and NaN have their names")
    func numbers() {
        let values: [(Double, String)] = [
            (0, "0"), (1e15, "1000000000000000"), (0.25, "0.25"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
            (.nan, "NaN"),
        ]
        for (value, text) in values {
            #expect(lines(.text, [.gauge("a", "", value)]).last == "a \(text)")
        }
    }

    @Test("a histogram's buckets are cumulative, and its count is that of the last")
    func histogram() {
        let histogram = Histogram(bounds: [0.5, 1])
        for milliseconds in [100, 500, 700, 5000] { histogram.observe(.milliseconds(milliseconds)) }
        let family = MetricFamily("a_seconds", "A.", .histogram, [([("b", "c")], .histogram(histogram.snapshot))])
        #expect(
            lines(.text, [family]).dropFirst(2) == [
                "a_seconds_bucket{b=\"c\",le=\"0.5\"} 2", "a_seconds_bucket{b=\"c\",le=\"1.0\"} 3",
                "a_seconds_bucket{b=\"c\",le=\"+Inf\"} 4", "a_seconds_sum{b=\"c\"} 6.3", "a_seconds_count{b=\"c\"} 4",
            ])
    }

    @Test("samples of one name stand together, whoever registered them; a family without samples is left out")
    func grouping() {
        let registry = MetricsRegistry()
        let first = registry.counter("a", "A.", labels: [("n", "1")])
        registry.register { [.gauge("b", "B.", 7), .counter("c", "C.", [])] }
        let second = registry.counter("a", "A.", labels: [("n", "2")], divisor: Counter.nanoseconds)
        first.add(4)
        second.add(.milliseconds(1500))
        #expect(
            lines(.text, registry.families()) == [
                "# HELP a_total A.", "# TYPE a_total counter", "a_total{n=\"1\"} 4", "a_total{n=\"2\"} 1.5",
                "# HELP b B.", "# TYPE b gauge", "b 7",
            ])
    }
}
