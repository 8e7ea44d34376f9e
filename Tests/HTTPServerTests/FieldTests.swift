import Testing

@testable import HTTPServer

@Suite("Header fields")
struct FieldTests {
    @Test("a media type is read with its parameters, without regard to case")
    func mediaType() throws {
        let type = try #require(MediaType("Text/HTML; Charset=\"utf-8\" ; q=\"a\\\"b\";"))
        #expect(type.essence == "text/html")
        #expect(type["CHARSET"] == "utf-8" && type["q"] == "a\"b")
        #expect(type.description == "text/html; charset=utf-8; q=\"a\\\"b\"")
    }

    @Test(
        "what is no media type is refused",
        arguments: [
            "", "text", "text/", "/html", "text/html x", "text/html; a", "text/html; a=\"", "a/b; c=d; C=e", "a/b,c/d",
        ])
    func noMediaType(text: String) { #expect(MediaType(text) == nil) }

    static let offers = ["application/json", "application/x-ndjson", "text/csv"].compactMap { MediaType($0) }

    @Test(
        "the offer with the highest quality is taken",
        arguments: [
            (nil, "application/json"), ("", "application/json"), ("*/*", "application/json"),
            ("text/csv", "text/csv"), ("text/*, application/json;q=0.9", "text/csv"),
            ("application/json;q=0.2, application/*;q=0.5", "application/x-ndjson"),
            ("text/html, */*;q=0.1", "application/json"), ("text/html", nil), ("*/*;q=0", nil),
            ("*/*, application/json;q=0", "application/x-ndjson"), ("text/csv; charset=utf-8", "text/csv"),
            ("text/csv; header=absent", nil), ("text/csv;q=2", "application/json"), ("nonsense", "application/json"),
            ("text/csv;q=0.5, application/x-ndjson;q=0.500, , ", "application/x-ndjson"),
        ] as [(String?, String?)])
    func negotiation(accept: String?, expected: String?) {
        #expect(ContentNegotiation.best(Self.offers, accept: accept)?.essence == expected)
    }

    @Test(
        "a coding is used only where it is accepted",
        arguments: [
            (nil, false), ("", false), ("gzip", true), ("GZIP;q=0.5", true), ("gzip;q=0", false), ("*", true),
            ("*;q=0, gzip", true), ("gzip;q=0.000, *", false), ("identity, br", false), ("gzip;q=x", false),
        ] as [(String?, Bool)])
    func codings(field: String?, expected: Bool) {
        #expect(ContentNegotiation.accepts(encoding: "gzip", acceptEncoding: field) == expected)
    }
}
