/// Where a request stands in a distributed trace: the `traceparent` field of W3C Trace Context, level 1.
public struct TraceContext: Hashable, Sendable {
    /// 32 lower-case hexadecimal digits, not all zero: the whole trace.
    public let traceID: String
    /// 16 lower-case hexadecimal digits, not all zero: the caller's span.
    public let parentID: String
    /// Whether the caller may have recorded it.
    public let isSampled: Bool

    /// `nil` where the field is not as the specification has it (§3.2.2.3); it is then as if it were not there (§4.3).
    ///
    /// - Parameter field: without white space around it.
    public init?(_ field: String) {
        let bytes = Array(field.utf8)
        let dash = UInt8(ascii: "-")
        guard bytes.count >= Self.length, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash else { return nil }
        guard let version = Self.hexadecimal(bytes[0..<2]), version != "ff",
            let traceID = Self.hexadecimal(bytes[3..<35]), traceID.contains(where: { $0 != "0" }),
            let parentID = Self.hexadecimal(bytes[36..<52]), parentID.contains(where: { $0 != "0" }),
            let flags = Self.hexadecimal(bytes[53..<55]).flatMap({ UInt8($0, radix: 16) })
        else { return nil }
        // A later version may go on after a dash; this one may not.
        guard bytes.count == Self.length || (version != "00" && bytes[Self.length] == dash) else { return nil }
        self.traceID = traceID
        self.parentID = parentID
        isSampled = flags & 1 == 1
    }

    /// Of version 00: `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
    private static let length = 55

    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let letters = UInt8(ascii: "a")...UInt8(ascii: "f")
        let isHexadecimal = bytes.allSatisfy { digits.contains($0) || letters.contains($0) }
        return isHexadecimal ? String(decoding: bytes, as: UTF8.self) : nil
    }
}

extension HTTPRequest {
    /// The trace that the request belongs to, where it says so. Two fields are no field: which counts would be a guess.
    public var trace: TraceContext? {
        let values = fields.all("traceparent")
        return values.count == 1 ? TraceContext(values[0]) : nil
    }
}
