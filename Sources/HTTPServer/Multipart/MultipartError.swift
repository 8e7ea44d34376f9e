/// Why a body is no `multipart/form-data`. The message is meant for the client.
public struct MultipartError: Error, Sendable, Hashable, CustomStringConvertible {
    public struct Code: Sendable, Hashable {
        private let name: String

        /// The content type is not `multipart/form-data`.
        public static let notMultipart = Code(name: "notMultipart")
        /// The content type's boundary is missing or not as RFC 2046 §5.1.1 has it.
        public static let invalidBoundary = Code(name: "invalidBoundary")
        /// A boundary is followed by something other than the end of its line.
        public static let malformedDelimiter = Code(name: "malformedDelimiter")
        /// A part's header is malformed, or does not name its form field.
        public static let malformedHeader = Code(name: "malformedHeader")
        public static let headerTooLarge = Code(name: "headerTooLarge")
        public static let tooManyParts = Code(name: "tooManyParts")
        /// The body ended before the closing boundary.
        public static let truncated = Code(name: "truncated")
        /// The parser was fed after its handler had thrown.
        public static let handlerFailed = Code(name: "handlerFailed")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
