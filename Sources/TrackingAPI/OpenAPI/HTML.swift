import Foundation

/// Text on its way into a page. Everything that comes from elsewhere goes through ``escaped(_:)``.
enum HTML {
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    static func code(_ text: String) -> String { "<code>\(escaped(text))</code>" }

    /// A sentence with `code` in backticks, the only one of CommonMark's marks that the document uses.
    static func prose(_ text: String) -> String {
        let parts = text.components(separatedBy: "`")
        // An odd number of marks: they are none.
        guard parts.count % 2 == 1 else { return escaped(text) }
        return parts.enumerated().map { $0 % 2 == 1 ? code($1) : escaped($1) }.joined()
    }

    static func paragraphs(_ text: String) -> String {
        text.components(separatedBy: "\n\n").map { "<p>\(prose($0))</p>\n" }.joined()
    }

    static func table(_ head: [String], _ rows: [[String]]) -> String {
        guard !rows.isEmpty else { return "" }
        let head = head.map { "<th>\(escaped($0))</th>" }.joined()
        let body = rows.map { "<tr>" + $0.map { "<td>\($0)</td>" }.joined() + "</tr>\n" }.joined()
        return "<table>\n<tr>\(head)</tr>\n\(body)</table>\n"
    }
}
