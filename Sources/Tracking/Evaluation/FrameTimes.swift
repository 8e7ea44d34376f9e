/// How long a tracker took for each frame.
public struct FrameTimes: Hashable, Sendable {
    /// Of each frame, in seconds, in any order.
    public var seconds: [Double]

    public init(seconds: [Double] = []) { self.seconds = seconds }

    /// 0 without frames.
    public var framesPerSecond: Double {
        let sum = seconds.reduce(0, +)
        return sum > 0 ? Double(seconds.count) / sum : 0
    }

    /// The shortest time that at least `percent` of the frames did not exceed (nearest rank), in seconds; 0 without
    /// frames.
    ///
    /// - Parameter percent: 0 … 100.
    public func percentile(_ percent: Double) -> Double {
        guard !seconds.isEmpty else { return 0 }
        let rank = Int((percent / 100 * Double(seconds.count)).rounded(.up))
        return seconds.sorted()[min(max(rank, 1), seconds.count) - 1]
    }
}
