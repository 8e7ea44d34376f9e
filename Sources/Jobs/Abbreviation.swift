extension String {
    /// Cut to a number of Unicode scalars, with an ellipsis where there are more: for what a client sent and an error
    /// repeats.
    package func abbreviated(to limit: Int = 64) -> String {
        let scalars = unicodeScalars
        guard let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
            end < scalars.endIndex
        else { return self }
        return String(scalars[..<end]) + "…"
    }
}
