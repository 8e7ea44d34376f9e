/// What a number that tunes a tracker may be. Numbers outside would divide by zero, or be none.
struct ParameterRange {
    let name: String
    let value: Double
    let range: ClosedRange<Double>

    init(_ name: String, _ value: Double, _ range: ClosedRange<Double>) {
        (self.name, self.value, self.range) = (name, value, range)
    }

    init(_ name: String, _ value: Int, _ range: ClosedRange<Int>) {
        self.init(name, Double(value), Double(range.lowerBound)...Double(range.upperBound))
    }

    /// - Throws: ``TrackingError/Code/invalidOption`` naming the first that is out of its range, or no number.
    static func check(_ ranges: [ParameterRange]) throws(TrackingError) {
        for item in ranges where !item.range.contains(item.value) {
            throw TrackingError(
                .invalidOption,
                "\(item.name) is \(item.value); it must be from \(item.range.lowerBound) to \(item.range.upperBound)",
                option: item.name)
        }
    }
}
