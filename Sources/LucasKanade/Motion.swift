/// What a step of the alignment may change.
public enum Motion: Sendable, Hashable, CaseIterable {
    /// Position.
    case translation
    /// Position, scale and rotation.
    case similarity
    /// All six parameters.
    case affine

    /// Number of parameters.
    public var parameters: Int {
        switch self {
        case .translation: 2
        case .similarity: 4
        case .affine: 6
        }
    }
}
