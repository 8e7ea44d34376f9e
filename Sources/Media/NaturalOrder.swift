/// The order in which a person numbers files: `img2` before `img10`.
public enum NaturalOrder {
    /// Whether path `a` comes before path `b`. Folders are compared one by one from the left; runs of ASCII digits by
    /// their value, of any length, everything else by its bytes. Names that differ in leading zeros only (`1`, `01`)
    /// are ordered by their bytes, so the order is total.
    public static func precedes(_ a: some StringProtocol, _ b: some StringProtocol) -> Bool {
        let first = a.utf8.split(separator: separator, omittingEmptySubsequences: false)
        let second = b.utf8.split(separator: separator, omittingEmptySubsequences: false)
        for (x, y) in zip(first, second) {
            let order = compare(Array(x), Array(y))
            if order != 0 { return order < 0 }
        }
        if first.count != second.count { return first.count < second.count }
        return a.utf8.lexicographicallyPrecedes(b.utf8)
    }

    private static let separator = UInt8(ascii: "/")

    /// Negative, zero or positive as `a` comes before, with or after `b`.
    private static func compare(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var i = 0
        var j = 0
        while i < a.count, j < b.count {
            if isDigit(a[i]), isDigit(b[j]) {
                let order = compareNumbers(digits(of: a, from: &i), digits(of: b, from: &j))
                if order != 0 { return order }
            } else {
                if a[i] != b[j] { return Int(a[i]) - Int(b[j]) }
                i += 1
                j += 1
            }
        }
        return (a.count - i) - (b.count - j)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// The run of digits at an index, without leading zeros; moves the index behind it.
    private static func digits(of bytes: [UInt8], from index: inout Int) -> ArraySlice<UInt8> {
        let start = index
        while index < bytes.count, isDigit(bytes[index]) { index += 1 }
        return bytes[start..<index].drop { $0 == UInt8(ascii: "0") }
    }

    private static func compareNumbers(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Int {
        if a.count != b.count { return a.count - b.count }
        return a.elementsEqual(b) ? 0 : a.lexicographicallyPrecedes(b) ? -1 : 1
    }
}
