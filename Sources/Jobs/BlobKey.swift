/// A key of a ``BlobStore`` that was checked: 1-8 segments of `[A-Za-z0-9._-]`, none of which starts with a dot. So no key
/// leaves the store's folder, and none names a temporary file.
public struct BlobKey: Hashable, Sendable {
    private static let segmentCount = 1...8
    /// Leaves room for a temporary file's prefix in the 255 bytes of a name.
    private static let segmentLength = 1...200

    public let segments: [Substring]

    /// - Throws: ``JobsError/Code/invalidKey``.
    public init(_ text: String) throws(JobsError) {
        segments = text.split(separator: "/", omittingEmptySubsequences: false)
        guard Self.segmentCount.contains(segments.count), segments.allSatisfy(Self.isValid) else {
            throw JobsError(
                .invalidKey,
                "\"\(text)\" is no blob key: 1 to 8 segments of A-Z, a-z, 0-9, '.', '_' and '-', joined by '/', none of "
                    + "which starts with a dot")
        }
    }

    /// The last segment.
    public var name: String { String(segments[segments.count - 1]) }

    /// The segments before the last.
    public var folder: [Substring] { segments.dropLast() }

    private static func isValid(_ segment: Substring) -> Bool {
        segmentLength.contains(segment.utf8.count) && segment.utf8.first != UInt8(ascii: ".")
            && segment.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
