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

    @Test("a quote in a parameter is escaped, also where an accent follows it")
    func quoteWithAccent() throws {
        let type = MediaType("a", "b", parameters: [FieldParameter(name: "c", value: "\"\u{301}")])
        #expect(MediaType(type.description)?["c"]?.unicodeScalars.elementsEqual("\"\u{301}".unicodeScalars) == true)
    }

    @Test("more parameters than anybody sends make no media type")
    func manyParameters() {
        func text(_ count: Int) -> String { "a/b" + (0..<count).map { "; p\($0)=x" }.joined() }
        #expect(MediaType(text(64))?.parameters.count == 64)
        #expect(MediaType(text(65)) == nil)
    }

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

    @Test(
        "a preference is read wherever it stands; what is malformed is passed over",
        arguments: [
            ([], nil), (["wait=10"], 10), (["respond-async, Wait = 5; foo=bar"], 5),
            (["handling=lenient", "wait=3"], 3),
            (["wait=\"7\""], 7), (["wait=1, wait=2"], 1), (["wait=0"], 0), (["wait=99999999999999999999"], .max),
            (["wait"], nil), (["wait=-1"], nil), (["wait=soon"], nil), (["wait=1.5"], nil), (["=, ;, wait=4"], 4),
            (["a=\"b, c\"; d, wait=6"], 6), (["a=\"b"], nil), (["wait=٣"], nil),
        ] as [([String], Int?)])
    func preferences(fields: [String], wait: Int?) {
        #expect(RequestPreferences(HTTPFields(fields.map { ("Prefer", $0) })).wait == wait)
    }

    @Test("a preference without a value is there all the same")
    func barePreference() {
        let preferences = RequestPreferences(HTTPFields([("prefer", "respond-async; x, return=minimal")]))
        #expect(preferences["Respond-Async"] == "" && preferences["return"] == "minimal" && preferences["x"] == nil)
    }
}

@Suite("Conditional and range requests")
struct ConditionTests {
    @Test(
        "ranges are read as RFC 9110 has them",
        arguments: [
            (nil, .whole), ("bytes=0-99", .part(0..<100)), ("bytes=0-0", .part(0..<1)),
            ("bytes=990-", .part(990..<1000)),
            ("bytes=-10", .part(990..<1000)), ("bytes=-5000", .part(0..<1000)), ("bytes=900-5000", .part(900..<1000)),
            ("Bytes= 1-2 ", .part(1..<3)), ("bytes=1000-", .unsatisfiable), ("bytes=-0", .unsatisfiable),
            ("bytes=99999999999999999999-", .unsatisfiable), ("bytes=0-99999999999999999999", .part(0..<1000)),
            ("bytes=0-9223372036854775807", .part(0..<1000)), ("bytes=-99999999999999999999", .part(0..<1000)),
            ("bytes=5-4", .whole), ("bytes=0-1,3-4", .whole), ("bytes=", .whole), ("bytes=-", .whole),
            ("lines=1-2", .whole),
            ("bytes=a-b", .whole), ("bytes=0x1-2", .whole), ("", .whole), ("bytes 0-1", .whole), ("bytes=--1", .whole),
        ] as [(String?, ByteRange)])
    func ranges(field: String?, expected: ByteRange) {
        #expect(ByteRange(field, count: 1000) == expected)
    }

    @Test("an empty representation has no satisfiable range")
    func emptyRepresentation() {
        #expect(ByteRange("bytes=0-", count: 0) == .unsatisfiable)
        #expect(ByteRange("bytes=-1", count: 0) == .unsatisfiable)
        #expect(ByteRange("bytes=0-", count: 0).contentRange(count: 0) == "bytes */0")
        #expect(ByteRange("bytes=2-5", count: 10).contentRange(count: 10) == "bytes 2-5/10")
    }

    private func request(_ name: String, _ value: String, method: String = "GET") -> HTTPRequest {
        HTTPRequest(method: method, target: "/", path: [""], fields: HTTPFields([(name, value)]))
    }

    @Test(
        "If-None-Match compares weakly",
        arguments: [
            ("\"a\"", .notModified), ("W/\"a\"", .notModified), ("\"b\"", .proceed), ("\"b\" , , \"a\"", .notModified),
            ("*", .notModified), ("a", .proceed), ("\"a", .proceed), ("", .proceed), ("w/\"a\"", .proceed),
        ] as [(String, Precondition)])
    func ifNoneMatch(field: String, expected: Precondition) {
        #expect(Precondition.evaluate(request("If-None-Match", field), current: EntityTag("a")) == expected)
    }

    @Test(
        "If-Match compares strongly",
        arguments: [
            ("\"a\"", .proceed), ("W/\"a\"", .failed), ("\"b\"", .failed), ("\"b\",\"a\"", .proceed), ("*", .proceed),
        ] as [(String, Precondition)])
    func ifMatch(field: String, expected: Precondition) {
        #expect(Precondition.evaluate(request("If-Match", field, method: "PUT"), current: EntityTag("a")) == expected)
        #expect(Precondition.evaluate(request("If-Match", field, method: "PUT"), current: nil) == .failed)
    }

    @Test("a range is honoured only for the representation that If-Range names")
    func ifRange() {
        let current = EntityTag("a")
        #expect(Precondition.allowsRange(request("Range", "bytes=0-1"), current: current))
        #expect(Precondition.allowsRange(request("If-Range", "\"a\""), current: current))
        #expect(!Precondition.allowsRange(request("If-Range", "W/\"a\""), current: current))
        #expect(!Precondition.allowsRange(request("If-Range", "\"b\""), current: current))
        #expect(!Precondition.allowsRange(request("If-Range", "Sun, 06 Nov 1994 08:49:37 GMT"), current: current))
        #expect(!Precondition.allowsRange(request("If-Range", "\"a\""), current: nil))
    }

    @Test("dates are written as RFC 9110 has them")
    func dates() {
        #expect(HTTPDate.format(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.format(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }
}
