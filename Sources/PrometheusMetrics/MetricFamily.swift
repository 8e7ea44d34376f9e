/// Names and values in the order in which they are written.
public typealias MetricLabels = [(name: String, value: String)]

/// Samples of one name, as they are at one moment.
public struct MetricFamily: Sendable {
    public enum Kind: String, Sendable { case counter, gauge, histogram }

    public enum Value: Sendable {
        case number(Double)
        case histogram(HistogramSnapshot)
    }

    /// A counter's without the `_total` that its samples end with.
    public var name: String
    public var help: String
    public var kind: Kind
    public var samples: [(labels: MetricLabels, value: Value)]

    public init(_ name: String, _ help: String, _ kind: Kind, _ samples: [(labels: MetricLabels, value: Value)]) {
        self.name = name
        self.help = help
        self.kind = kind
        self.samples = samples
    }

    public static func gauge(_ name: String, _ help: String, _ value: Double, _ labels: MetricLabels = []) -> Self {
        Self(name, help, .gauge, [(labels, .number(value))])
    }

    public static func gauge(
        _ name: String, _ help: String, _ samples: [(labels: MetricLabels, value: Double)]
    ) -> Self {
        Self(name, help, .gauge, samples.map { ($0.labels, .number($0.value)) })
    }

    public static func counter(_ name: String, _ help: String, _ value: Double, _ labels: MetricLabels = []) -> Self {
        Self(name, help, .counter, [(labels, .number(value))])
    }

    public static func counter(
        _ name: String, _ help: String, _ samples: [(labels: MetricLabels, value: Double)]
    ) -> Self {
        Self(name, help, .counter, samples.map { ($0.labels, .number($0.value)) })
    }
}
