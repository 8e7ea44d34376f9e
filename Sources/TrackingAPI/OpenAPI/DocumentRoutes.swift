import Crypto
import Foundation
import HTTPServer
import Jobs

/// `/openapi.json` and `/docs`: made once, when the program starts.
struct DocumentRoutes: Sendable {
    static let documentPath = "/openapi.json"
    static let pagePath = "/docs"

    private let json: Copy
    private let page: Copy

    /// Something that does not change while the program runs.
    private struct Copy: Sendable {
        let bytes: [UInt8]
        let tag: EntityTag
        let fields: [(name: String, value: String)]

        static let cacheControl = "no-cache"

        init(_ bytes: [UInt8], mediaType: String, fields: [(name: String, value: String)] = []) {
            self.bytes = bytes
            tag = EntityTag(Hexadecimal.text(SHA256.hash(data: bytes)))
            self.fields =
                [
                    ("Content-Type", mediaType), ("ETag", tag.description), ("Cache-Control", Self.cacheControl),
                    ("X-Content-Type-Options", "nosniff"),
                ] + fields
        }
    }

    init(version: String) {
        let document = OpenAPIDocument.json(version: version)
        json = Copy(document.encoded(), mediaType: "application/json")
        page = Copy(
            Array(DocumentPage(document).html.utf8), mediaType: "text/html; charset=utf-8",
            fields: [("Content-Security-Policy", DocumentPage.contentSecurityPolicy)])
    }

    func document(_ context: RequestContext) throws -> HTTPResponse { try Self.answer(json, context.request) }

    func docs(_ context: RequestContext) throws -> HTTPResponse { try Self.answer(page, context.request) }

    private static func answer(_ copy: Copy, _ request: HTTPRequest) throws(Problem) -> HTTPResponse {
        if let answer = try Conditions.answer(copy.tag, request, cacheControl: Copy.cacheControl) { return answer }
        return HTTPResponse(status: 200, fields: HTTPFields(copy.fields), body: .bytes(copy.bytes))
    }
}
