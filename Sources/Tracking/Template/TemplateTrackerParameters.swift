public struct TemplateTrackerParameters: Hashable, Sendable {
    public init() {}
    public var coastingFrames = 5
}
