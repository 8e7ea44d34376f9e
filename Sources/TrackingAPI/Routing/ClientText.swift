import Foundation
import Jobs
import StreamSafe

/// What a client sent, made fit to be repeated in an error or kept for display.
package enum ClientText {
    /// In quotes, without control characters, cut to 64 characters.
    static func quoted(_ text: String) -> String {
        let shown = printable(text, limit: 64)
        return "\"\(shown)\(shown.unicodeScalars.count < text.unicodeScalars.count ? "…" : "")\""
    }

    /// Without control characters, cut to a number of Unicode scalars. Stream-safe where the text is.
    static func printable(_ text: String, limit: Int) -> String {
        let shown = printable(text, limit: limit, instead: nil)
        // Without the one between them, two runs of combining marks may be one that is too long.
        return shown.isStreamSafe ? shown : printable(text, limit: limit, instead: " ")
    }

    private static func printable(_ text: String, limit: Int, instead: Unicode.Scalar?) -> String {
        var result = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            guard let shown = isControl ? instead : scalar else { continue }
            guard count < limit else { break }
            result.append(shown)
            count += 1
        }
        return String(result)
    }

    /// A pointer to a member of the form, the query or the spec, as a URI fragment (RFC 6901 §6). Long names are cut.
    static func pointer(_ names: String...) -> String {
        "#"
            + names.map { name in
                let escaped = name.abbreviated().replacingOccurrences(of: "~", with: "~0")
                    .replacingOccurrences(of: "/", with: "~1")
                return "/" + percentEncoded(escaped)
            }.joined()
    }

    /// Everything but RFC 3986's unreserved characters is encoded.
    package static func percentEncoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    /// The name of a file without folders, as RFC 7578 §4.2 asks for; `nil` where nothing is left.
    static func fileName(_ name: String) -> String? {
        let last = name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? ""
        let shown = printable(last, limit: 255)
        return shown.isEmpty || shown == "." || shown == ".." ? nil : shown
    }
}
