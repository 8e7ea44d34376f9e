import HTTPServer
import JobStoreContract
import Jobs
import Testing

@testable import TrackingAPI

@Suite("What clients send, repeated and kept")
struct ClientTextTests {
    private static let marks = String(repeating: "\u{301}", count: 30)

    @Test("a control character that goes joins no two runs of combining marks to one that is too long")
    func fileName() throws {
        let name = "a" + Self.marks + "\u{1}" + Self.marks + ".mp4"
        let kept = try #require(ClientText.fileName(name))
        #expect(Array(kept.unicodeScalars) == Array(("a" + Self.marks + " " + Self.marks + ".mp4").unicodeScalars))
        #expect(ClientText.fileName("a\u{1}b.mp4") == "ab.mp4")
        // As the store reads it.
        let source = JobSource(kind: .video, blobKey: "a", bytes: 1, sha256: "ab", fileName: kept)
        let read = JobSource(storedText: source.storedJSON.storedText, of: JobIDGenerator().next())
        #expect(read == source)
    }

    @Test("long names of members are cut in the pointers to them")
    func pointers() throws {
        let long = String(repeating: "a", count: 100_000)
        let pointer = ClientText.pointer("targets", long)
        #expect(pointer.count < 100 && pointer.hasPrefix("#/targets/aaaa"))
        let service = try Service()
        let answer = service.post(Form().spec("{\"\(long)\": 1}").file("video", Sample.video()))
        #expect(answer.status == 422)
        #expect(answer.body.count < 2_000)
    }
}
