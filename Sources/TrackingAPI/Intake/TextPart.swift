import HTTPServer
import StreamSafe

/// A text part of a multipart form, while it is read. Its length is bounded, and that of all together, because it is held
/// in memory.
struct TextPart: Sendable {
    let name: String
    /// The most bytes that it may have.
    let limit: Int
    private(set) var bytes: [UInt8] = []
    private let held: HeldText

    /// - Parameter held: the text of the request.
    /// - Throws: where that has become too long.
    init(name: String, limit: Int = APILimits.fieldBytes, of held: HeldText) throws(Problem) {
        self.name = name
        self.limit = limit
        self.held = held
        try held.grow(by: name.utf8.count)
    }

    mutating func append(_ more: UnsafeRawBufferPointer) throws(Problem) {
        guard bytes.count + more.count <= limit else {
            throw .at(
                ClientText.pointer(name), "The field \(ClientText.quoted(name)) may have at most \(limit) bytes.",
                as: .tooLarge)
        }
        try held.grow(by: more.count)
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
