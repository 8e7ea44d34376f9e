/// Which part of a result is wanted.
public struct ResultSlice: Hashable, Sendable {
    /// The first frame; `nil`: from the start.
    public var from: Int?
    /// The first frame that is left out; `nil`: to the end.
    public var to: Int?
    /// The only target; `nil`: all.
    public var target: String?

    public init(from: Int? = nil, to: Int? = nil, target: String? = nil) {
        self.from = from
        self.to = to
        self.target = target
    }

    /// Whether this frame and later ones may be wanted.
    func mayHold(framesFrom frame: Int) -> Bool { frame < to ?? .max }

    func contains(frame: Int) -> Bool { frame >= from ?? .min && frame < to ?? .max }
}
