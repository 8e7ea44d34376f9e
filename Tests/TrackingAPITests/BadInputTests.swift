import Foundation
import HTTPServer
import Jobs
import Testing
import TrackingAPI

/// Issue "Bad input": every wrong request gets its problem document, and nothing stays behind.
@Suite("Bad input")
struct BadInputTests {
    /// A wrong request and what must come of it.
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var form: Form
        var status: Int
        var pointer: String
        var target = "/v1/jobs"

        var testDescription: String { name }
    }

    private static let spec = SubmissionTests.spec
    private static let video = Form().file("video", Sample.video())

    static let cases: [Case] = [
        Case(name: "no file", form: Form().spec(spec), status: 422, pointer: "#/video"),
        Case(name: "nothing at all", form: Form(), status: 422, pointer: "#/video"),
        Case(name: "no box", form: video, status: 422, pointer: "#/targets"),
        Case(
            name: "no box in the spec", form: video.spec(#"{"targets": [{}]}"#), status: 422, pointer: "#/targets/0/box"
        ),
        Case(name: "no targets", form: video.spec(#"{"targets": []}"#), status: 422, pointer: "#/targets"),
        Case(
            name: "a box without overlap with any frame",
            form: video.spec(#"{"targets": [{"box": [-50, 0, 20, 20]}]}"#),
            status: 422, pointer: "#/targets/0/box"),
        Case(name: "NaN in a field", form: video.field("roi", "NaN,1,20,20"), status: 422, pointer: "#/roi"),
        Case(
            name: "NaN in the spec", form: video.spec(#"{"targets": [{"box": [NaN, 1, 20, 20]}]}"#), status: 422,
            pointer: "#/spec"),
        Case(
            name: "31 combining marks in a row",
            form: video.field("label.a", "b" + String(repeating: "\u{301}", count: 31)),
            status: 422, pointer: "#/label.a"),
        Case(name: "infinity", form: video.field("roi", "1e999,1,20,20"), status: 422, pointer: "#/roi"),
        Case(name: "a box under 4 px", form: video.field("roi", "1,1,3,20"), status: 422, pointer: "#/targets/0/box"),
        Case(
            name: "0 bytes", form: Form().file("video", []).spec(spec), status: 422, pointer: "#/video"),
        Case(
            name: "a frame of 0 bytes", form: Form().file("frame", Sample.image()).file("frame", []).spec(spec),
            status: 422, pointer: "#/frame/1"),
        Case(
            name: "a text file named .mp4", form: Form().spec(spec).file("video", Sample.text), status: 415,
            pointer: "#/video"),
        Case(
            name: "an image sent as video", form: Form().spec(spec).file("video", Sample.image()), status: 415,
            pointer: "#/video"),
        Case(
            name: "a video sent as archive", form: Form().spec(spec).file("archive", Sample.video()), status: 415,
            pointer: "#/archive"),
        Case(
            name: "a text file among the frames",
            form: Form().spec(spec).file("frame", Sample.image()).file("frame", Sample.text), status: 415,
            pointer: "#/frame/1"),
        Case(name: "an unknown field", form: video.field("colour", "red"), status: 422, pointer: "#/colour"),
        Case(
            name: "an unknown file field", form: Form().file("movie", Sample.video()), status: 422, pointer: "#/movie"),
        Case(
            name: "an unknown field in the spec",
            form: video.spec(#"{"targets": [{"box": [1, 2, 30, 40]}], "fps": 3}"#),
            status: 422, pointer: "#/fps"),
        Case(
            name: "an unknown query parameter", form: video.spec(spec), status: 422, pointer: "#/fps",
            target: "/v1/jobs?fps=3"),
        Case(name: "two videos", form: video.spec(spec).file("video", Sample.video()), status: 422, pointer: "#/video"),
        Case(
            name: "a video and an archive", form: video.spec(spec).file("archive", Sample.zip()), status: 422,
            pointer: "#/archive"),
        Case(
            name: "a frame with a name and one without",
            form: Form().spec(spec).file("frame", Sample.image()).file("frame", Sample.image(), fileName: nil),
            status: 422, pointer: "#/frame/1"),
        Case(name: "two specs", form: video.spec(spec).spec(spec), status: 422, pointer: "#/spec"),
        Case(name: "a spec that is no JSON", form: video.spec("{"), status: 422, pointer: "#/spec"),
        Case(
            name: "a box in both spec and field", form: video.spec(spec).field("roi", "1,2,30,40"), status: 422,
            pointer: "#/roi"),
        Case(
            name: "a spec over 2 MiB", form: video.spec(String(repeating: " ", count: (2 << 20) + 1)), status: 413,
            pointer: "#/spec"),
        Case(
            name: "a field over 8 KiB", form: video.field("roi", String(repeating: "1", count: 8_193)), status: 413,
            pointer: "#/roi"),
    ]

    @Test("is refused with its field named, and leaves nothing behind", arguments: cases)
    func refused(_ bad: Case) throws {
        let service = try Service()
        let answer = service.post(bad.form, bad.target, pieces: [501, 7, 8_000])
        expectProblem(answer, bad.status, pointer: bad.pointer)
        #expect(answer.route == "/v1/jobs")
        #expect(try service.isEmpty(), "\(service.files)")
        #expect(service.signals.submissions.withLock { $0 } == 0)
    }

    @Test("everything that is wrong is told at once")
    func allProblems() throws {
        let answer = try Service().post(Form().field("roi", "1,2,3,4").field("levels", "99"))
        #expect(answer.pointers == ["#/targets/0/box", "#/tracker/levels", "#/video"])
    }

    @Test("a wrong spec is refused before the upload that follows it is read")
    func earlyRefusal() throws {
        let service = try Service()
        let form = Form().spec(#"{"targets": [{"box": [1, 2, 3, 4]}]}"#).file("video", Sample.video(bytes: 1 << 20))
        // Cut off long before its end: the answer must be there by then.
        let answer = service.send(
            "POST", "/v1/jobs", [("Content-Type", Form.contentType), ("Transfer-Encoding", "chunked")],
            body: Array(form.body.prefix(2_000)), pieces: [64])
        expectProblem(answer, 422, pointer: "#/targets/0/box")
    }

    @Test("a text file is refused when its first bytes are there, wherever the spec is")
    func earlyRecognition() throws {
        let service = try Service()
        let form = Form().file("video", Array(repeating: UInt8(ascii: "a"), count: 1 << 20)).spec(Self.spec)
        let answer = service.send(
            "POST", "/v1/jobs", [("Content-Type", Form.contentType)], body: Array(form.body.prefix(6_000)), pieces: [64]
        )
        expectProblem(answer, 415, pointer: "#/video", saying: "clip.mp4")
        #expect(try service.isEmpty())
    }

    @Test("an upload that is cut off leaves nothing behind, wherever it was cut")
    func cutUpload() throws {
        let body = Form().spec(Self.spec).file("video", Sample.video(bytes: 20_000)).field("priority", "3").body
        for end in stride(from: 0, to: body.count - 2, by: 977) {
            let service = try Service()
            let answer = service.send(
                "POST", "/v1/jobs", [("Content-Type", Form.contentType)], body: Array(body[..<end]))
            expectProblem(answer, 400)
            #expect(try service.isEmpty(), "cut at \(end): \(service.files)")
        }
    }

    @Test("a client that goes away leaves nothing behind", arguments: [0, 100, 5_000, 19_000])
    func abandonedUpload(bytes: Int) throws {
        let service = try Service()
        let body = Form().spec(Self.spec).file("video", Sample.video(bytes: 20_000)).body
        let request = Service.request(
            "POST", "/v1/jobs", HTTPFields([("Content-Type", Form.contentType), ("Content-Length", "1")]))
        guard case .receive(let sink, _, _) = service.api.begin(request) else {
            Issue.record("the body is not taken")
            return
        }
        let early = body[..<bytes].withUnsafeBytes { sink.receive($0) }
        #expect(early == nil)
        sink.abort()
        #expect(try service.isEmpty(), "\(service.files)")
        // The caller serves connections.
        let removers = service.blobs.removers.withLock { $0 }
        #expect(!removers.contains(ObjectIdentifier(Thread.current)))
        #expect(removers.isEmpty == (bytes < 5_000), "what was not begun needs no looking for")
    }

    @Test("a body over limits.upload_bytes is refused, whether it says its length or not", arguments: [true, false])
    func tooLarge(isChunked: Bool) throws {
        let service = try Service { $0.uploadBytes = 50_000 }
        var fields = [(name: "Content-Type", value: Form.contentType)]
        if isChunked { fields.append(("Transfer-Encoding", "chunked")) }
        let answer = service.send(
            "POST", "/v1/jobs", fields, body: Form().spec(Self.spec).file("video", Sample.video(bytes: 60_000)).body)
        expectProblem(answer, 413, saying: "limits.upload_bytes")
        #expect(try service.isEmpty(), "\(service.files)")
    }

    @Test(
        "a body with a content coding is refused before it is read, in every form",
        arguments: ["gzip", "identity, GZIP", "br", "x-unknown"], [Form.contentType, "application/json", "video/mp4"])
    func contentCoding(coding: String, contentType: String) throws {
        let service = try Service()
        let head = HTTPFields([
            ("Content-Type", contentType), ("Content-Encoding", coding), ("Content-Length", "1000000"),
        ])
        guard case .respond(let response) = service.api.begin(Service.request("POST", "/v1/jobs", head)) else {
            Issue.record("the body is taken")
            return
        }
        let answer = Answer(response)
        expectProblem(answer, 415, saying: coding)
        #expect(answer.fields["Accept-Encoding"] == "identity")
    }

    @Test("a body with the identity coding is a body as any other", arguments: ["identity", "Identity", ""])
    func identityCoding(coding: String) throws {
        let form = Form().spec(Self.spec).file("video", Sample.video())
        let answer = try Service().send(
            "POST", "/v1/jobs", [("Content-Type", Form.contentType), ("Content-Encoding", coding)], body: form.body)
        #expect(answer.status == 202)
    }

    @Test("more frames than limits.frames are refused")
    func tooManyFrames() throws {
        let service = try Service { $0.frames = 3 }
        var form = Form().spec(Self.spec)
        for number in 1...4 { form = form.file("frame", Sample.image(), fileName: "\(number).png") }
        expectProblem(service.post(form), 413, pointer: "#/frame/3", saying: "limits.frames")
        #expect(try service.isEmpty(), "\(service.files)")
    }

    @Test("a job that the store does not take leaves no upload behind, and its cause goes to the log alone")
    func storeFailure() throws {
        let service = try Service()
        let form = Form().spec(Self.spec).file("video", Sample.video())
        let request = Service.request(
            "POST", "/v1/jobs", HTTPFields([("Content-Type", Form.contentType), ("Content-Length", "1")]))
        guard case .receive(let sink, _, _) = service.api.begin(request) else {
            Issue.record("the body is not taken")
            return
        }
        #expect(form.body.withUnsafeBytes { sink.receive($0) } == nil)
        try service.store.close()
        let answer = Answer(sink.finish())
        expectProblem(answer, 500)
        #expect(answer.note?.isEmpty == false)
        #expect(service.files.filter { $0 != "jobs" }.isEmpty, "\(service.files)")
    }

    @Test("a folder that cannot be written to is a fault of the service, whose path nobody is told")
    func blobFailure() throws {
        let service = try Service()
        try Data().write(to: URL(fileURLWithPath: service.folder + "/blobs/jobs"))
        let answer = service.post(Form().spec(Self.spec).file("video", Sample.video()))
        expectProblem(answer, 500)
        #expect(!answer.text.contains(service.folder))
        #expect(try service.isEmpty())
    }

    @Test("whatever bytes are damaged, there is an answer, and a refusal leaves nothing behind")
    func damagedForms() throws {
        let body = Form().spec(Self.spec).file("video", Sample.video(bytes: 300)).field("priority", "3").body
        var generator = SplitMix64(state: 5)
        let service = try Service()
        for _ in 0..<400 {
            var damaged = body
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<damaged.count, using: &generator)
                damaged[index] = UInt8.random(in: 0...255, using: &generator)
            }
            let answer = service.send("POST", "/v1/jobs", [("Content-Type", Form.contentType)], body: damaged)
            if answer.status == 202 {
                #expect(service.send("DELETE", "/v1/jobs/\(try #require(answer.jobID))").status == 204)
            } else {
                expectProblem(answer, answer.status)
                #expect((400..<500).contains(answer.status))
            }
            #expect(try service.isEmpty(), "\(service.files)")
        }
    }
}
