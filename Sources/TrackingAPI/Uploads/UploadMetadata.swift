import Foundation
import HTTPServer
import Jobs
import StreamSafe

/// `Upload-Metadata`: what a client tells of its file. `filename bcO2Lm1wNA==,filetype dmlkZW8vbXA0,private`.
package struct UploadMetadata: Hashable, Sendable {
    /// As it was sent.
    package let text: String
    /// In the order they came.
    private let entries: [Entry]

    private struct Entry: Hashable, Sendable {
        let key: String
        /// `nil` where the bytes are none.
        let text: String?
    }

    /// - Throws: 400 where it is not of the form that tus asks for, 431 where it is longer than can be kept.
    package init(_ request: HTTPRequest) throws(Problem) {
        // RFC 9110 §5.3: a list may be cut into several fields.
        let text = request.fields.all("Upload-Metadata").joined(separator: ",")
        guard text.utf8.count <= APILimits.fieldBytes else {
            throw Problem(.headTooLarge, "Upload-Metadata may have at most \(APILimits.fieldBytes) bytes.")
        }
        try self.init(text)
    }

    package init(_ text: String) throws(Problem) {
        // It is sent back in a field, in which a tab may stand as well as a space (RFC 9110 §5.6.3), but never needs to.
        self.text = text.replacingOccurrences(of: "\t", with: " ")
        var entries: [Entry] = []
        // Some clients send the field without a value where they have nothing to tell.
        let pairs = text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
        for pair in pairs {
            let entry = try Self.entry(pair.trimmingCharacters(in: CharacterSet(charactersIn: " \t")))
            guard !entries.contains(where: { $0.key == entry.key }) else {
                throw Problem(.malformed, "Upload-Metadata names \(ClientText.quoted(entry.key)) twice.")
            }
            entries.append(entry)
        }
        self.entries = entries
    }

    private static func entry(_ pair: String) throws(Problem) -> Entry {
        let parts = pair.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let key = parts.first, !key.isEmpty, key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(
                .malformed,
                "Upload-Metadata is a list of pairs \"key base64\", joined by commas; keys are not empty, and in ASCII."
            )
        }
        guard let value = Data(base64Encoded: parts.count > 1 ? parts[1] : "") else {
            throw Problem(.malformed, "The value of \(ClientText.quoted(key)) in Upload-Metadata is not in Base64.")
        }
        let text = String(validating: value, as: UTF8.self)
        guard text?.isStreamSafe ?? true else {
            throw Problem(
                .malformed,
                "The value of \(ClientText.quoted(key)) in Upload-Metadata has more than 30 combining marks in a row.")
        }
        return Entry(key: key, text: text)
    }

    /// A value as text; `nil` where there is none, or none that is text.
    subscript(key: String) -> String? { entries.first { $0.key == key }?.text }

    /// For display only.
    package var fileName: String? { (self["filename"] ?? self["name"]).flatMap(ClientText.fileName) }

    /// Values that are no text are `null`.
    package var json: JSONValue {
        .object(JSONObject(entries.map { ($0.key, $0.text.map { .string($0) } ?? .null) }))
    }
}
