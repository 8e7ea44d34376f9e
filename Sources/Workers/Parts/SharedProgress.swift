import Jobs

/// How far a job is whose targets several workers follow: a frame counts by the share of its targets that were followed.
struct SharedProgress {
    /// How old the others' progress may be, in seconds.
    private static let lookSeconds = 1.0

    private let targets: Int
    /// Frames times targets.
    private var ownDone = 0
    private var ownNow = 0
    private var othersDone = 0
    private var looked = ContinuousClock.now

    init(targets: Int) { self.targets = targets }

    /// Whole frames, as if all targets had been followed at the same pace.
    var frames: Int { (ownDone + ownNow + othersDone) / targets }

    var isLookDue: Bool { ContinuousClock.now - looked >= .seconds(Self.lookSeconds) }

    mutating func own(frames: Int, targets: Int) { ownNow = frames * targets }

    mutating func ownPassEnded() { (ownDone, ownNow) = (ownDone + ownNow, 0) }

    mutating func others(_ parts: [OfferedPart]) {
        othersDone = parts.reduce(0) { $0 + $1.framesDone * $1.part.targets.count }
        looked = .now
    }
}
