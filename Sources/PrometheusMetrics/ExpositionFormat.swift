/// How metrics are written for those who scrape them.
public enum ExpositionFormat: CaseIterable, Sendable {
    /// Prometheus text format 0.0.4.
    case text
    /// OpenMetrics 1.0.0.
    case openMetrics

    public var mediaType: String {
        switch self {
        case .text: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    public func write(_ families: [MetricFamily]) -> [UInt8] {
        var text = ""
        for family in families where !family.samples.isEmpty {
            // A counter's family is named as its samples are in one format, and without `_total` in the other.
            let sampleName = family.kind == .counter ? family.name + "_total" : family.name
            let name = self == .text ? sampleName : family.name
            text += "# HELP \(name) \(escaped(help: family.help))\n# TYPE \(name) \(family.kind.rawValue)\n"
            for sample in family.samples { Self.append(sample.value, sampleName, sample.labels, to: &text) }
        }
        if self == .openMetrics { text += "# EOF\n" }
        return Array(text.utf8)
    }

    private static func append(
        _ value: MetricFamily.Value, _ name: String, _ labels: MetricLabels, to text: inout String
    ) {
        switch value {
        case .number(let number):
            text += "\(name)\(written(labels)) \(written(number))\n"
        case .histogram(let histogram):
            for (bound, count) in histogram.buckets {
                // OpenMetrics wants a point in the bound (`1.0`), and the other format minds none.
                let label = (name: "le", value: bound.isInfinite ? "+Inf" : "\(bound)")
                text += "\(name)_bucket\(written(labels + [label])) \(written(count))\n"
            }
            text += "\(name)_sum\(written(labels)) \(written(histogram.sum))\n"
            text += "\(name)_count\(written(labels)) \(written(histogram.count))\n"
        }
    }

    private static func written(_ labels: MetricLabels) -> String {
        guard !labels.isEmpty else { return "" }
        let pairs = labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
        return "{" + pairs.joined(separator: ",") + "}"
    }

    /// Whole numbers without a fraction, as everybody else writes counts.
    private static func written(_ number: Double) -> String {
        if let whole = Int64(exactly: number) { return String(whole) }
        return number.isNaN ? "NaN" : number.isInfinite ? (number < 0 ? "-Inf" : "+Inf") : "\(number)"
    }

    /// Only OpenMetrics escapes quotes in a help text.
    private func escaped(help: String) -> String { Self.escaped(help, quotes: self == .openMetrics) }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
