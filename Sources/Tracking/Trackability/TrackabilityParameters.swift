/// Where ``Trackability`` draws its lines. What the trackers themselves go by is in their own parameters.
public struct TrackabilityParameters: Hashable, Sendable {
    /// An edge looks the same all along where the lesser eigenvalue is less than this share of the greater.
    public var edgeShare = 0.02
    /// It nearly does below this share.
    public var nearEdgeShare = 0.06
    /// The least error that noise leaves, in pixels of the resolution that is looked at: above it a target is hardly
    /// held, …
    public var maximumError = 0.5
    /// … and above this not well.
    public var largeError = 0.15
    /// Noise that every picture has, in grey levels: rounding, compression, interpolation.
    public var minimumNoise = 1.0
    /// The geometric mean of a box's sides, in pixels, below which there is hardly anything to hold on to, …
    public var minimumSize = 8.0
    /// … or little.
    public var smallSize = 16.0
    /// Share of a box that lies in the picture: below this most of what would be learned is the picture's edge, …
    public var minimumVisible = 0.5
    /// … and below this some of it.
    public var mostlyVisible = 0.9

    public init() {}
}
