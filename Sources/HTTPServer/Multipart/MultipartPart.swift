import StreamSafe

/// What comes out of a ``MultipartParser``, in the order of the body. Every part is one `partBegan`, any number of `data`
/// and one `partEnded`; a part that is cut off gets no `partEnded`.
public enum MultipartEvent {
    case partBegan(MultipartPart)
    /// The next bytes of the part's content; valid during the call only.
    case data(UnsafeRawBufferPointer)
    case partEnded
}

/// The header of one part of a form (RFC 7578 §4).
public struct MultipartPart: Sendable, Hashable {
    /// The form field's name.
    public let name: String
    /// As the client sent it: for display and sorting. It may hold `..`, separators and anything else, and so must never
    /// become a path. `nil` where the part is no file.
    public let fileName: String?
    public let contentType: String?
    public let fields: HTTPFields

    public init(name: String, fileName: String? = nil, contentType: String? = nil, fields: HTTPFields = HTTPFields()) {
        self.name = name
        self.fileName = fileName
        self.contentType = contentType
        self.fields = fields
    }

    /// - Parameter header: the part's header with the line break of its last line, without the empty line after it.
    init(header: ArraySlice<UInt8>) throws(MultipartError) {
        fields = try Self.fields(header)
        contentType = fields["Content-Type"]
        guard let disposition = fields["Content-Disposition"] else {
            throw MultipartError(.malformedHeader, "A part of the form has no Content-Disposition.")
        }
        var scanner = FieldScanner(disposition)
        guard scanner.token()?.lowercased() == "form-data",
            let parameters = scanner.parameters(.quoteAndBackslash), scanner.isAtEnd
        else {
            throw MultipartError(.malformedHeader, "A part's Content-Disposition is no well-formed form-data.")
        }
        guard let name = parameters.first(where: { $0.name == "name" })?.value else {
            throw MultipartError(.malformedHeader, "A part's Content-Disposition has no name.")
        }
        self.name = name
        // RFC 7578 §4.2 forbids `filename*`, yet some clients send it, and then it is the truer of the two.
        let extended = parameters.first { $0.name == "filename*" }.flatMap { Self.extendedValue($0.value) }
        fileName = extended ?? parameters.first { $0.name == "filename" }?.value
        if let encoding = fields["Content-Transfer-Encoding"]?.lowercased(), !Self.identities.contains(encoding) {
            throw MultipartError(
                .malformedHeader, "The part \"\(name)\" has a Content-Transfer-Encoding; send its bytes as they are.")
        }
    }

    private static let identities: Set = ["binary", "8bit", "7bit"]

    private static func fields(_ header: ArraySlice<UInt8>) throws(MultipartError) -> HTTPFields {
        var fields: [(name: String, value: String)] = []
        var rest = header
        while let end = rest.firstIndex(of: UInt8(ascii: "\r")) {
            let line = rest[..<end]
            rest = rest[end...].dropFirst(2)
            guard line.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == UInt8(ascii: "\t") }) else {
                throw MultipartError(.malformedHeader, "A part's header holds a control character.")
            }
            guard String(decoding: line, as: UTF8.self).isStreamSafe else {
                throw MultipartError(
                    .malformedHeader, "A part's header holds more than 30 combining marks in a row.")
            }
            var scanner = FieldScanner(line)
            scanner.skipWhitespace()
            if scanner.rest.count < line.count, let last = fields.indices.last {
                // A folded line (RFC 5322 §2.2.3).
                fields[last].value += " " + trimmed(scanner.rest)
                continue
            }
            guard scanner.rest.count == line.count, let name = scanner.token(), scanner.take(":") else {
                throw MultipartError(.malformedHeader, "A line of a part's header is no \"name: value\".")
            }
            fields.append((name, trimmed(scanner.rest)))
        }
        let result = HTTPFields(fields)
        guard result.all("Content-Disposition").count <= 1 else {
            throw MultipartError(.malformedHeader, "A part has two Content-Disposition lines.")
        }
        return result
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var text = bytes.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return String(decoding: text, as: UTF8.self)
    }

    /// `UTF-8'language'percent-encoded` (RFC 8187 §3.2); `nil` for other charsets and malformed values.
    private static func extendedValue(_ text: String) -> String? {
        let pieces = text.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard pieces.count == 3, pieces[0].lowercased() == "utf-8", let bytes = PercentEncoding.decode(pieces[2].utf8)
        else { return nil }
        return String(validating: bytes, as: UTF8.self).flatMap { $0.isStreamSafe ? $0 : nil }
    }
}
