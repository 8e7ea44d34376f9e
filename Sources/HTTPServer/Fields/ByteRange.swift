/// The part of a representation that a request asks for (RFC 9110 §14).
public enum ByteRange: Sendable, Hashable {
    /// 200: no range, one that is malformed or of another unit, or several, which a server need not serve.
    case whole
    /// 206 with ``contentRange(count:)``. Not empty, and within the representation.
    case part(Range<Int64>)
    /// 416 with ``contentRange(count:)``.
    case unsatisfiable

    /// - Parameters:
    ///   - field: the value of `Range`.
    ///   - count: the representation's length in bytes.
    public init(_ field: String?, count: Int64) {
        self = field.map { Self.parse($0, count: count) } ?? .whole
    }

    /// The value of `Content-Range`; `nil` for the whole.
    public func contentRange(count: Int64) -> String? {
        switch self {
        case .whole: nil
        case .part(let range): "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(count)"
        case .unsatisfiable: "bytes */\(count)"
        }
    }

    private static func parse(_ field: String, count: Int64) -> ByteRange {
        var scanner = FieldScanner(field)
        guard scanner.token()?.lowercased() == "bytes", scanner.take("=") else { return .whole }
        scanner.skipWhitespace()
        let first = scanner.digits()
        guard scanner.take("-") else { return .whole }
        let last = scanner.digits()
        scanner.skipWhitespace()
        guard scanner.isAtEnd else { return .whole }
        switch (first, last) {
        case (nil, nil):
            return .whole
        case (nil, let suffix?):
            guard suffix > 0, count > 0 else { return .unsatisfiable }
            return .part(max(0, count - suffix)..<count)
        case (let first?, let last):
            if let last, last < first { return .whole }
            guard first < count else { return .unsatisfiable }
            return .part(first..<min(last ?? .max, count - 1) + 1)
        }
    }
}

extension FieldScanner {
    /// Takes a decimal number. Numbers that are too large are the largest: beyond every representation's end.
    fileprivate mutating func digits() -> Int64? {
        run { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }?.reduce(0) { number, digit in
            let (product, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
            return overflow || carry ? .max : sum
        }
    }
}
