/// An element of an answer of S3's.
package struct S3XML: Equatable {
    package var name: String
    /// The text directly in it, without that of its children.
    package var text = ""
    package var children: [S3XML] = []

    func child(_ name: String) -> S3XML? { children.first { $0.name == name } }
    func all(_ name: String) -> [S3XML] { children.filter { $0.name == name } }
    /// The text of a child.
    subscript(name: String) -> String? { child(name)?.text }
}

/// Reads what S3 answers: elements, text, the five named entities and numbered ones. Attributes are read over (there is
/// one, `xmlns`); a document type, a processing instruction other than the declaration, or anything not well formed is
/// refused.
///
/// FoundationXML would bring libxml2 and ICU into a process that needs neither, and libxml2 by itself a parser of which
/// this is a fiftieth: entities of one's own, document types and networks are what attacks are made of.
package struct S3XMLReader {
    package struct Malformed: Error {}

    private static let mostDepth = 16

    private let bytes: [UInt8]
    private var position = 0

    package static func read(_ bytes: [UInt8]) throws(Malformed) -> S3XML {
        var reader = S3XMLReader(bytes: bytes)
        reader.skipWhiteSpace()
        if reader.take("<?xml") { try reader.skip(past: "?>") }
        try reader.skipMisc()
        let root = try reader.element(depth: 0)
        try reader.skipMisc()
        guard reader.position == bytes.count else { throw Malformed() }
        return root
    }

    /// Text, so that it can stand in an element.
    package static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func element(depth: Int) throws(Malformed) -> S3XML {
        guard depth < Self.mostDepth, take("<") else { throw Malformed() }
        var element = S3XML(name: try name())
        if try skipAttributes() { return element }
        var text: [UInt8] = []
        while true {
            guard position < bytes.count else { throw Malformed() }
            if take("</") {
                guard try name() == element.name else { throw Malformed() }
                skipWhiteSpace()
                guard take(">") else { throw Malformed() }
                element.text = String(decoding: text, as: UTF8.self)
                return element
            }
            if take("<!--") {
                try skip(past: "-->")
            } else if take("<![CDATA[") {
                let start = position
                try skip(past: "]]>")
                text += bytes[start..<position - 3]
            } else if bytes[position] == UInt8(ascii: "<") {
                element.children.append(try self.element(depth: depth + 1))
            } else if bytes[position] == UInt8(ascii: "&") {
                text += Array(String(try entity()).utf8)
            } else {
                text.append(bytes[position])
                position += 1
            }
        }
    }

    private mutating func name() throws(Malformed) -> String {
        let start = position
        while position < bytes.count, Self.isNameByte(bytes[position]) { position += 1 }
        guard position > start else { throw Malformed() }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// - Returns: whether the element ends with its tag.
    private mutating func skipAttributes() throws(Malformed) -> Bool {
        while true {
            skipWhiteSpace()
            if take("/>") { return true }
            if take(">") { return false }
            _ = try name()
            skipWhiteSpace()
            guard take("=") else { throw Malformed() }
            skipWhiteSpace()
            if take("\"") { try skip(past: "\"") } else if take("'") { try skip(past: "'") } else { throw Malformed() }
        }
    }

    private mutating func entity() throws(Malformed) -> Unicode.Scalar {
        position += 1
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: ";"), position - start < 10 { position += 1 }
        guard position < bytes.count, bytes[position] == UInt8(ascii: ";") else { throw Malformed() }
        let name = String(decoding: bytes[start..<position], as: UTF8.self)
        position += 1
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let isHexadecimal = name.hasPrefix("#x")
            let digits = name.dropFirst(isHexadecimal ? 2 : 1)
            // `UInt32` takes a sign, too.
            guard name.hasPrefix("#"), digits.first != "+",
                let scalar = UInt32(digits, radix: isHexadecimal ? 16 : 10).flatMap(Unicode.Scalar.init)
            else { throw Malformed() }
            return scalar
        }
    }

    private mutating func skipMisc() throws(Malformed) {
        skipWhiteSpace()
        while take("<!--") {
            try skip(past: "-->")
            skipWhiteSpace()
        }
    }

    private mutating func skipWhiteSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        let wanted = UnsafeBufferPointer(start: text.utf8Start, count: count)
        guard bytes[position..<position + count].elementsEqual(wanted) else { return false }
        position += count
        return true
    }

    private mutating func skip(past text: StaticString) throws(Malformed) {
        while position < bytes.count {
            if take(text) { return }
            position += 1
        }
        throw Malformed()
    }

    /// Of ASCII, as all of S3's names are: others may be long and equal in many ways, which takes time to find out.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
