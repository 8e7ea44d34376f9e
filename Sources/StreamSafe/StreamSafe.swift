extension StringProtocol {
    /// Whether the text is in the Stream-Safe Text Format (UAX #15, "Stream-Safe Text Process"): no more than 30
    /// non-starters, such as combining accents, in a row.
    ///
    /// Swift compares and hashes strings by canonical equivalence, for which the marks of a run are put in order. That
    /// takes time by the square of their number: one comparison of 32 KiB of marks takes a tenth of a second. So
    /// text of strangers is refused where it comes in, before it is compared with anything.
    public var isStreamSafe: Bool {
        // The first non-starter is U+0300, CC 80 in UTF-8.
        if utf8.allSatisfy({ $0 < 0xCC }) { return true }
        var run = 0
        for scalar in unicodeScalars {
            let isStarter = scalar.value < 0x300 || scalar.properties.canonicalCombiningClass == .notReordered
            run = isStarter ? 0 : run + 1
            if run > 30 { return false }
        }
        return true
    }
}
