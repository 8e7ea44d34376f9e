import HTTPServer
import StreamSafe

/// A text part of a multipart form, while it is read. Its length is bounded, because it is held in memory.
struct TextPart: Sendable {
    let name: String
    /// The most bytes that it may have.
    let limit: Int
    private(set) var bytes: [UInt8] = []

    init(name: String, limit: Int = APILimits.fieldBytes) {
        self.name = name
        self.limit = limit
    }

    mutating func append(_ more: UnsafeRawBufferPointer) throws(Problem) {
        guard bytes.count + more.count <= limit else {
            throw .at(
                ClientText.pointer(name), "The field \(ClientText.quoted(name)) may have at most \(limit) bytes.",
                as: .tooLarge)
        }
        bytes.append(contentsOf: more)
    }

    /// - Throws: where it is not UTF-8.
    func text() throws(Problem) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .at(ClientText.pointer(name), "The field \(ClientText.quoted(name)) must be text in UTF-8.")
        }
        guard text.isStreamSafe else {
            throw .at(
                ClientText.pointer(name),
                "The field \(ClientText.quoted(name)) has more than 30 combining marks in a row.")
        }
        return text
    }
}
