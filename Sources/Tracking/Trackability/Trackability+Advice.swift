extension Trackability {
    /// What to do about it, for a person.
    public var advice: String { findings.first?.advice ?? "This box can be tracked." }
}

extension Trackability.Finding {
    /// What is the matter, and what to do.
    public var advice: String {
        switch self {
        case .flat:
            "There is nothing in this box to tell it by: draw it around something with edges, corners or colours."
        case .edge:
            "This box holds an edge that looks the same all along, and would slide on it: "
                + "draw it so that it takes in a corner or an end."
        case .faint:
            "What is in this box hardly stands out: draw it around something with more contrast, or choose a sharper frame."
        case .colorOnly:
            "This box is told by its colours alone: its place will be followed, its size and rotation will not."
        case .small:
            "This box has few pixels: draw it a little larger, with some of what moves along, or use a video of higher "
                + "resolution."
        case .cutOff:
            "Part of this box lies outside the picture: draw it around what can be seen, or choose a frame that shows "
                + "the whole."
        }
    }
}
