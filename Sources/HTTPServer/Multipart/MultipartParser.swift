import Glibc

/// Parses `multipart/form-data` (RFC 7578, RFC 2046 §5.1) as it arrives, in chunks cut anywhere.
///
/// Holds no content: what a chunk leaves open is either a part's header (bounded by ``Limits/headerBytes``) or the number
/// of bytes of the delimiter that matched so far, which can be emitted from the delimiter itself should it turn out to be
/// content. Events do not depend on how the body was cut, except for where `data` is.
public struct MultipartParser: Sendable {
    public struct Limits: Sendable, Hashable {
        /// Of one part's header.
        public var headerBytes = 16 * 1024
        public var parts = 100_000

        public init() {}
    }

    private enum State {
        /// Before the first delimiter; what stands there is discarded.
        case preamble
        /// Behind a boundary. It ends a line, or the body where two dashes follow.
        case boundary
        case boundaryDash
        case boundaryPadding
        case boundaryReturn
        case header
        case content
        /// Behind the last delimiter; what stands there is discarded.
        case epilogue
    }

    private let limits: Limits
    /// CR LF `--` boundary. No other CR is in it, so that a mismatch can only start a match anew, never continue one.
    private let delimiter: [UInt8]
    private var state = State.preamble
    /// How many bytes of the delimiter the last bytes seen are.
    private var matched = Self.lineBreakLength
    /// How many of `matched` stood before the content (the line break that ended the header), and are none of it.
    private var implied = Self.lineBreakLength
    private var header: [UInt8] = []
    private var parts = 0
    private var failure: MultipartError?

    private static let lineBreakLength = 2
    /// RFC 2046 §5.1.1.
    private static let longestBoundary = 70

    /// - Parameter contentType: the request's `Content-Type`.
    /// - Throws: `notMultipart` or `invalidBoundary`.
    public init(contentType: String) throws(MultipartError) {
        try self.init(contentType: contentType, limits: Limits())
    }

    public init(contentType: String, limits: Limits) throws(MultipartError) {
        guard let type = MediaType(contentType), type.essence == "multipart/form-data" else {
            throw MultipartError(.notMultipart, "The content type is not multipart/form-data.")
        }
        guard let boundary = type["boundary"], !boundary.isEmpty, boundary.utf8.count <= Self.longestBoundary,
            boundary.utf8.last != UInt8(ascii: " "), boundary.utf8.allSatisfy(Self.isBoundaryByte)
        else {
            throw MultipartError(
                .invalidBoundary, "The content type needs a boundary of 1 to 70 of the characters of RFC 2046.")
        }
        self.limits = limits
        delimiter = Array("\r\n--".utf8) + boundary.utf8
    }

    /// Takes the next bytes of the body.
    /// - Throws: ``MultipartError``, or what the handler throws. Either ends the parsing: later calls throw again.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer, _ handler: (MultipartEvent) throws -> Void) throws {
        if let failure { throw failure }
        do {
            var position = 0
            while position < bytes.count {
                position = try step(bytes, from: position, handler)
            }
        } catch {
            failure =
                error as? MultipartError ?? MultipartError(.handlerFailed, "The parts' reader has failed before.")
            throw error
        }
    }

    /// To be called when the body is whole.
    /// - Throws: `truncated` where the closing boundary is missing, or the error that ``feed(_:_:)`` threw.
    public mutating func finish() throws(MultipartError) {
        if let failure { throw failure }
        switch state {
        case .epilogue:
            return
        case .preamble:
            throw MultipartError(.truncated, "The body does not hold the boundary that the content type announces.")
        default:
            throw MultipartError(.truncated, "The body ends before its closing boundary.")
        }
    }

    /// Takes at least one byte and returns the position behind the last one taken.
    private mutating func step(
        _ bytes: UnsafeRawBufferPointer, from position: Int, _ handler: (MultipartEvent) throws -> Void
    ) throws -> Int {
        switch state {
        case .preamble:
            let (next, found) = try scan(bytes, from: position) { _ in }
            if found { state = .boundary }
            return next
        case .content:
            let (next, found) = try scan(bytes, from: position) { try handler(.data($0)) }
            if found {
                state = .boundary
                try handler(.partEnded)
            }
            return next
        case .boundary, .boundaryDash, .boundaryPadding, .boundaryReturn:
            try endBoundary(bytes[position])
            return position + 1
        case .header:
            try extendHeader(bytes[position], handler)
            return position + 1
        case .epilogue:
            return bytes.count
        }
    }

    /// Emits what is not the delimiter, until that is found or the chunk ends.
    private mutating func scan(
        _ bytes: UnsafeRawBufferPointer, from start: Int, _ emit: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> (next: Int, found: Bool) {
        /// Of the matched bytes, those that are not in this chunk.
        var carried = matched
        var position = start
        while position < bytes.count, matched < delimiter.count {
            if matched == 0 {
                position = Self.firstReturn(bytes, from: position)
                guard position < bytes.count else { break }
                matched = 1
                position += 1
            } else if bytes[position] == delimiter[matched] {
                matched += 1
                position += 1
            } else {
                if carried > implied {
                    try delimiter.withUnsafeBytes { try emit(UnsafeRawBufferPointer(rebasing: $0[implied..<carried])) }
                }
                (matched, implied, carried) = (0, 0, 0)
            }
        }
        let end = position - (matched - carried)
        if end > start { try emit(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
        guard matched == delimiter.count else { return (position, false) }
        return (position, true)
    }

    private mutating func endBoundary(_ byte: UInt8) throws(MultipartError) {
        switch (state, byte) {
        case (.boundary, UInt8(ascii: "-")):
            state = .boundaryDash
        case (.boundaryDash, UInt8(ascii: "-")):
            state = .epilogue
        case (.boundary, UInt8(ascii: " ")), (.boundary, UInt8(ascii: "\t")),
            (.boundaryPadding, UInt8(ascii: " ")), (.boundaryPadding, UInt8(ascii: "\t")):
            state = .boundaryPadding
        case (.boundary, UInt8(ascii: "\r")), (.boundaryPadding, UInt8(ascii: "\r")):
            state = .boundaryReturn
        case (.boundaryReturn, UInt8(ascii: "\n")):
            guard parts < limits.parts else {
                throw MultipartError(.tooManyParts, "The form has more than \(limits.parts) parts.")
            }
            parts += 1
            header.removeAll(keepingCapacity: true)
            state = .header
        default:
            throw MultipartError(.malformedDelimiter, "A boundary is not followed by a line break or two dashes.")
        }
    }

    private mutating func extendHeader(_ byte: UInt8, _ handler: (MultipartEvent) throws -> Void) throws {
        guard header.count < limits.headerBytes else {
            throw MultipartError(.headerTooLarge, "A part's header has more than \(limits.headerBytes) bytes.")
        }
        let last = header.last
        guard byte == UInt8(ascii: "\n") ? last == UInt8(ascii: "\r") : last != UInt8(ascii: "\r") else {
            throw MultipartError(.malformedHeader, "A line of a part's header does not end with CR LF.")
        }
        header.append(byte)
        guard byte == UInt8(ascii: "\n"), header.count == 2 || header.dropLast(2).last == UInt8(ascii: "\n") else {
            return
        }
        let part = try MultipartPart(header: header.dropLast(2))
        state = .content
        // The line break that ended the header also serves a delimiter that follows at once.
        (matched, implied) = (Self.lineBreakLength, Self.lineBreakLength)
        try handler(.partBegan(part))
    }

    private static func firstReturn(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard let base = bytes.baseAddress,
            let found = memchr(base + start, Int32(UInt8(ascii: "\r")), bytes.count - start)
        else { return bytes.count }
        return UnsafeRawPointer(found) - base
    }

    /// `bchars` of RFC 2046 §5.1.1.
    private static func isBoundaryByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "+"), UInt8(ascii: "_"),
            UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: ":"),
            UInt8(ascii: "="), UInt8(ascii: "?"), UInt8(ascii: " "):
            true
        default:
            false
        }
    }
}
