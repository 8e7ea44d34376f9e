import Jobs
import Testing

@Suite("Result formats")
struct ResultFormatTests {
    @Test(
        "the format that is asked for most is taken",
        arguments: [
            (nil, .json), ("", .json), ("*/*", .json), ("application/json", .json), ("application/x-ndjson", .ndjson),
            ("text/csv", .csv), ("text/vtt", .vtt), ("text/*", .csv), ("application/*", .json),
            ("TEXT/CSV ; q=0.5, */*;q=0.1", .csv),
            ("application/json;q=0.2, text/csv;q=0.8", .csv), ("text/html, */*;q=0.1", .json),
            ("application/json;q=0, */*", .ndjson), ("text/html,application/xhtml+xml,*/*;q=0.8", .json),
            ("application/xml", .cvat), ("text/xml", .cvat), ("application/xml;q=0.9, */*;q=0.8", .cvat),
            ("application/xml, application/json", .json), ("text/xml;q=0.5, text/csv;q=0.4", .cvat),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", .json),
            ("text/html, application/xml;q=0.9", .cvat), ("text/plain", nil), ("text/plain, */*;q=0.1", .json),
            ("text/html", nil), ("image/png, application/json;q=0", nil), ("*/*;q=0", nil),
        ] as [(String?, ResultFormat?)])
    func negotiation(_ accept: String?, _ format: ResultFormat?) {
        #expect(ResultFormat.negotiate(accept: accept) == format)
    }

    @Test("names are those of the interface")
    func names() {
        #expect(ResultFormat(name: "mot") == .mot)
        #expect(ResultFormat(name: "JSON") == nil)
        #expect(ResultFormat(name: "coco") == .coco)
        #expect(ResultFormat(name: "xml") == nil)
    }
}
