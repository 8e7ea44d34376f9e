import Foundation
import Jobs
import Testing
import TrackingAPI

@Suite("Submitting a job")
struct SubmissionTests {
    static let spec = #"{"targets": [{"id": "car", "box": [70, 51, 107, 87]}], "labels": {"camera": "7"}}"#

    @Test("a form with a video and a spec is accepted, and both are kept as they were sent")
    func videoForm() throws {
        let service = try Service()
        let video = Sample.video()
        let answer = service.post(Form().file("video", video).spec(Self.spec))
        #expect(answer.status == 202, "\(answer.text)")
        #expect(answer.route == "/v1/jobs")
        let id = try #require(answer.jobID)
        #expect(answer.fields["Location"] == "/v1/jobs/\(id)")
        #expect(answer.fields["Retry-After"] == "1")
        #expect(answer.json?["status"] == "queued")
        #expect(service.signals.submissions.withLock { $0 } == 1)

        let job = try #require(try service.store.job(id, tenant: .anonymous))
        #expect(job.spec.targets == [TargetSpec(id: "car", box: PixelBox(x: 70, y: 51, width: 107, height: 87))])
        #expect(job.spec.labels == ["camera": "7"])
        #expect(job.source.kind == .video)
        #expect(job.source.bytes == Int64(video.count))
        #expect(job.source.fileName == "clip.mp4")
        #expect(service.send("GET", "/v1/jobs/\(id)/source").body == video)
    }

    @Test("the parts of a form may come in any order", arguments: [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]])
    func anyOrder(order: [Int]) throws {
        let service = try Service()
        let form = Form().file("video", Sample.video()).field("roi", "70,51,107,87").field("stop_frame", "20")
        let answer = service.post(form.reordered(order))
        #expect(answer.status == 202, "\(answer.text)")
        let job = try service.kept(answer)
        #expect(job.spec.targets.map(\.box) == [PixelBox(x: 70, y: 51, width: 107, height: 87)])
        #expect(job.spec.stopFrame == 20)
    }

    @Test("a field that only a later one makes right is not refused early")
    func curableFields() throws {
        let service = try Service()
        let form = Form().field("frame_step", "2").spec(#"{"targets": [{"box": [1, 2, 30, 40], "start_frame": 3}]}"#)
            .file("video", Sample.video()).field("start_frame", "1")
        let answer = service.post(form)
        #expect(answer.status == 202, "\(answer.text)")
    }

    @Test(
        "a bare body is taken by what it is",
        arguments: [
            ("video/mp4", Sample.video(), JobSource.Kind.video),
            ("application/octet-stream", Sample.video(), .video),
            ("application/octet-stream", Sample.zip(), .archive),
            ("application/x-www-form-urlencoded", Sample.video(), .video),
            ("application/zip", Sample.zip(), .archive),
            ("application/x-tar", Sample.tar(), .archive),
        ])
    func rawBody(type: String, body: [UInt8], kind: JobSource.Kind) throws {
        let service = try Service()
        let answer = service.send("POST", "/v1/jobs?roi=70,51,107,87", [("Content-Type", type)], body: body)
        #expect(answer.status == 202, "\(answer.text)")
        let job = try service.kept(answer)
        #expect(job.source.kind == kind)
        #expect(service.send("GET", "/v1/jobs/\(job.id)/source").body == body)
    }

    @Test("a bare body may be chunked and need no content type")
    func chunkedBody() throws {
        let service = try Service()
        let answer = service.send(
            "POST", "/v1/jobs?roi=70,51,107,87", [("Transfer-Encoding", "chunked")], body: Sample.video())
        #expect(answer.status == 202, "\(answer.text)")
    }

    @Test("an archive is taken in its own field")
    func archiveForm() throws {
        let service = try Service()
        let answer = service.post(Form().file("archive", Sample.zip(), fileName: "img.zip").spec(Self.spec))
        #expect(answer.status == 202, "\(answer.text)")
        #expect(answer.json?["source"]?["kind"] == "archive")
    }

    @Test("frames are packed into a tar under the names they came with")
    func namedFrames() throws {
        let service = try Service()
        var form = Form().spec(Self.spec)
        for name in ["10.png", "9.png", "../8.png"] { form = form.file("frame", Sample.image(), fileName: name) }
        let answer = service.post(form)
        #expect(answer.status == 202, "\(answer.text)")
        #expect(answer.json?["source"]?["kind"] == "frames")
        let tar = service.send("GET", "/v1/jobs/\(try #require(answer.jobID))/source").body
        #expect(Tar.entries(tar).map(\.name) == ["10.png", "9.png", "8.png"])
        #expect(Tar.entries(tar).allSatisfy { $0.content == Sample.image() })
    }

    @Test("as many points and keyframes as a target may have fit, in a form and in a body")
    func largeSpecs() throws {
        let service = try Service()
        let points = (0..<SpecLimits.points).map { "[\(100 + $0 % 64).125, \(200 + $0 / 64).375]" }
        let flock = "[{\"id\": \"a\", \"points\": [\(points.joined(separator: ", "))]}]"
        let keyframes = (1...SpecLimits.keyframes).map { "{\"frame\": \($0), \"box\": [100.5, 200.25, 30.125, 40.5]}" }
        let corrected =
            "[{\"id\": \"a\", \"box\": [1, 2, 30, 40], \"keyframes\": [\(keyframes.joined(separator: ", "))]}]"
        for (targets, mode) in [(flock, "points"), (corrected, "robust")] {
            let spec = "{\"tracker\": {\"mode\": \"\(mode)\"}, \"targets\": \(targets)}"
            let first = service.post(Form().file("video", Sample.video()).spec(spec))
            #expect(first.status == 202, "\(first.text.prefix(300))")
            let form = Form().file("video", Sample.video()).field("targets", targets).field("tracker", mode)
            #expect(service.post(form).status == 202)
            let body = "{\"source\": {\"job\": \"\(try #require(first.jobID))\"}, " + spec.dropFirst()
            let again = service.send(
                "POST", "/v1/jobs", [("Content-Type", "application/json")], body: Array(body.utf8))
            #expect(again.status == 202, "\(again.text.prefix(300))")
        }
    }

    @Test("frames without names keep the order they came in")
    func namelessFrames() throws {
        let service = try Service()
        var form = Form().spec(Self.spec)
        for seed in UInt64(1)...12 { form = form.file("frame", Sample.image(bytes: 5_000, seed: seed), fileName: nil) }
        let answer = service.post(form)
        #expect(answer.status == 202, "\(answer.text)")
        let tar = service.send("GET", "/v1/jobs/\(try #require(answer.jobID))/source").body
        let entries = Tar.entries(tar)
        #expect(entries.map(\.name) == entries.map(\.name).sorted())
        #expect(entries.map(\.content) == (UInt64(1)...12).map { Sample.image(bytes: 5_000, seed: $0) })
    }

    @Test("the video of an earlier job is tracked again, and outlives that job")
    func sameVideoAgain() throws {
        let service = try Service()
        let video = Sample.video(bytes: 700_000)
        let first = try #require(service.post(Form().file("video", video).spec(Self.spec)).jobID)
        let body = #"{"source": {"job": "\#(first)"}, "targets": [{"box": [1, 2, 30, 40]}]}"#
        let answer = service.send(
            "POST", "/v1/jobs", [("Content-Type", "application/json; charset=utf-8")], body: Array(body.utf8))
        #expect(answer.status == 202, "\(answer.text)")
        let second = try #require(answer.jobID)
        #expect(answer.json?["source"] == service.send("GET", "/v1/jobs/\(first)").json?["source"])
        // Without a copy of the bytes.
        let files = try [first, second].map { id in
            try FileManager.default.attributesOfItem(
                atPath: #require(try service.blobs.localPath(id.sourceKey)))[.systemFileNumber] as? Int
        }
        #expect(files[0] != nil && files[0] == files[1])

        #expect(service.send("DELETE", "/v1/jobs/\(first)").status == 204)
        #expect(service.send("GET", "/v1/jobs/\(second)/source").body == video)
    }

    @Test("however the body is cut, the outcome is the same")
    func anyChunking() throws {
        let forms = [
            Form().file("video", Sample.video()).spec(Self.spec),
            Form().spec(Self.spec).file("frame", Sample.image(), fileName: nil).file(
                "frame", Sample.image(bytes: 6_000), fileName: nil),
            Form().file("video", Sample.text).spec(Self.spec),
            Form().file("video", Sample.video()).spec(#"{"targets": []}"#),
            Form().spec(Self.spec),
        ]
        for form in forms {
            let whole = try Self.outcome(form, pieces: [Int.max])
            var generator = SplitMix64(state: 11)
            for round in 0..<12 {
                let pieces = round == 0 ? [1] : (0..<7).map { _ in Int.random(in: 1...3_000, using: &generator) }
                #expect(try Self.outcome(form, pieces: pieces) == whole, "\(pieces)")
            }
        }
    }

    /// What must not depend on how the body was cut.
    private static func outcome(_ form: Form, pieces: [Int]) throws -> [JSONValue?] {
        let service = try Service()
        let answer = service.post(form, pieces: pieces)
        if answer.status != 202 { #expect(try service.isEmpty()) }
        return [.int(answer.status), answer.json?["source"], answer.json?["spec"], answer.json?["errors"]]
    }
}
