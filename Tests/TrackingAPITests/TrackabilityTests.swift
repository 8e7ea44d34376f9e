import Dispatch
import JobStoreContract
import Jobs
import Synchronization
import Testing
import TrackingAPI

@Suite("Trackability over HTTP")
struct TrackabilityTests {
    private let path = "/v1/trackability"
    private let json = [("Content-Type", "application/json")]

    private func ask(_ service: Service, _ body: String) -> Answer {
        service.send("POST", path, json, body: Array(body.utf8))
    }

    private func expectJudged(_ answer: Answer, boxes: [[Double]], bytes: Int) {
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json?["width"] == 100 && answer.json?["height"] == 80)
        let found = answer.json?["boxes"]?.arrayValue ?? []
        #expect(found.map { $0["box"]?.arrayValue?.compactMap(\.doubleValue) } == boxes)
        for box in found {
            // The test's media tell which file they were given by its size.
            #expect(box["size"]?.intValue == bytes)
            #expect(box["verdict"] == "poor" && box["findings"] == ["edge"] && box["least_error"] == .null)
        }
    }

    /// Nothing of a picture stays, but for the folder that pictures are in.
    private func isClean(_ service: Service) throws -> Bool {
        service.api.finishUploads()
        let jobs = try service.store.counts().values.reduce(0, +)
        return service.files.filter { $0 != "pictures" }.isEmpty && jobs == 0
    }

    @Test(
        "an image in a form, with boxes as roi fields or as JSON, before it or after it",
        arguments: [[0, 1, 2], [2, 0, 1]])
    func form(order: [Int]) throws {
        let service = try Service()
        let image = Sample.image(bytes: 9_000)
        let fields = Form().field("roi", "1,2,30,40").file("image", image, fileName: "a.png").field("roi", "5,6,7,8")
        let answer = service.post(fields.reordered(order), path)
        let boxes: [[Double]] =
            order == [0, 1, 2] ? [[1, 2, 30, 40], [5, 6, 7, 8]] : [[5, 6, 7, 8], [1, 2, 30, 40]]
        expectJudged(answer, boxes: boxes, bytes: image.count)
        let other = service.post(Form().file("image", image).field("boxes", "[[1,2,30,40]]"), path)
        expectJudged(other, boxes: [[1, 2, 30, 40]], bytes: image.count)
        #expect(try isClean(service))
    }

    @Test("a bare image, with boxes in the query", arguments: ["image/png", "application/octet-stream"])
    func raw(type: String) throws {
        let service = try Service()
        let image = Sample.image()
        let answer = service.send(
            "POST", path + "?roi=1,2,30,40&roi=3,3,9,9", [("Content-Type", type)], body: image, pieces: [1, 5_000])
        expectJudged(answer, boxes: [[1, 2, 30, 40], [3, 3, 9, 9]], bytes: image.count)
        #expect(try isClean(service))
    }

    @Test("the first frame of a finished upload, and any frame of it; the upload stays what it is")
    func upload() throws {
        let service = try Service()
        let video = Sample.video()
        let upload = try service.upload(video)
        let id = try #require(upload.split(separator: "/").last)
        for frame in ["", #","frame":2"#] {
            expectJudged(
                ask(service, #"{"upload":"\#(id)","boxes":[[1,2,30,40]]\#(frame)}"#), boxes: [[1, 2, 30, 40]],
                bytes: video.count)
        }
        expectProblem(ask(service, #"{"upload":"\#(id)","boxes":[[1,2,30,40]],"frame":3}"#), 422, pointer: "#/frame")
        #expect(service.head(upload).status == 200)
        #expect(service.track(upload).status == 202)
        expectProblem(ask(service, #"{"upload":"\#(id)","boxes":[[1,2,30,40]]}"#), 409, pointer: "#/upload")
    }

    @Test("an upload that is not complete is 409 with its offset, and goes on afterwards")
    func unfinished() throws {
        let service = try Service()
        let video = Sample.video()
        let upload = try service.create(video.count)
        #expect(service.patch(upload, at: 0, video[..<5_000]).status == 204)
        let id = try #require(upload.split(separator: "/").last)
        let answer = ask(service, #"{"upload":"\#(id)","boxes":[[1,2,30,40]]}"#)
        expectProblem(answer, 409, pointer: "#/upload", saying: "5000")
        expectProblem(service.send("GET", upload + "/frames/0"), 409, saying: "5000")
        #expect(service.patch(upload, at: 5_000, video[5_000...]).status == 204)
        expectJudged(
            ask(service, #"{"upload":"\#(id)","boxes":[[1,2,30,40]]}"#), boxes: [[1, 2, 30, 40]], bytes: video.count)
    }

    @Test("a job's frame, where a box is drawn anew")
    func job() throws {
        let service = try Service()
        let id = try service.submit()
        expectJudged(
            ask(service, #"{"job":"\#(id)","frame":1,"boxes":[[1,2,30,40]]}"#), boxes: [[1, 2, 30, 40]], bytes: 10_012)
    }

    @Test("somebody else's upload and job are none, and need a key")
    func tenants() throws {
        let service = try Service(keys: .required)
        let (mine, other) = (try service.key(TenantID("mine"), id: "k1"), try service.key(TenantID("other"), id: "k2"))
        let job = service.send(
            "POST", "/v1/jobs?roi=1,2,30,40", [mine, ("Content-Type", "video/mp4")], body: Sample.video())
        let id = try #require(job.jobID)
        let body = Array(#"{"job":"\#(id)","boxes":[[1,2,30,40]]}"#.utf8)
        #expect(service.send("POST", path, json + [mine], body: body).status == 200)
        expectProblem(service.send("POST", path, json + [other], body: body), 422, pointer: "#/job")
        expectProblem(service.send("POST", path, json, body: body), 401)
        let created = service.send(
            "POST", "/v1/uploads", Service.chunk + [mine, ("Upload-Length", "10012")], body: Sample.video())
        let upload = try #require(created.fields["Location"])
        #expect(service.send("GET", upload + "/frames/0", [mine]).status == 200)
        expectProblem(service.send("GET", upload + "/frames/0", [other]), 404)
        let uploadID = try #require(upload.split(separator: "/").last)
        let named = Array(#"{"upload":"\#(uploadID)","boxes":[[1,2,30,40]]}"#.utf8)
        expectProblem(service.send("POST", path, json + [other], body: named), 422, pointer: "#/upload")
    }

    @Test("a box outside the picture is named, with the picture's size")
    func outside() throws {
        let service = try Service()
        let form = Form().file("image", Sample.image()).field("boxes", "[[1,2,30,40],[200,2,30,40]]")
        expectProblem(service.post(form, path), 422, pointer: "#/boxes/1", saying: "100×80")
        let rois = Form().file("image", Sample.image()).field("roi", "200,2,30,40")
        expectProblem(service.post(rois, path), 422, pointer: "#/roi")
        #expect(try isClean(service))
    }

    @Test(
        "what is wrong with a form is told with its field, and leaves nothing behind",
        arguments: [
            (Form().file("image", Sample.image()), 422, "#/boxes"),
            (Form().field("roi", "1,2,30,40"), 422, "#/image"),
            (Form().file("image", Sample.image()).field("roi", "1,2,3,40"), 422, "#/roi"),
            (Form().file("image", Sample.image()).field("roi", "1,2,x,40"), 422, "#/roi"),
            (Form().file("image", Sample.image()).field("boxes", "[[1,2,30]]"), 422, "#/boxes/0"),
            (Form().file("image", Sample.image()).field("boxes", "{"), 422, "#/boxes"),
            (Form().file("image", Sample.image()).field("boxes", "[]"), 422, "#/boxes"),
            (
                Form().file("image", Sample.image()).field("boxes", "[[1,2,30,40]]").field("roi", "1,2,30,40"), 422,
                "#/roi"
            ),
            (Form().file("image", Sample.image()).file("image", Sample.image()), 422, "#/image"),
            (Form().file("image", Sample.video()).field("roi", "1,2,30,40"), 415, "#/image"),
            (Form().file("image", Sample.text).field("roi", "1,2,30,40"), 415, "#/image"),
            (Form().file("image", []).field("roi", "1,2,30,40"), 422, "#/image"),
            // It cannot be decoded.
            (Form().file("image", Sample.image(bytes: 20)).field("roi", "1,2,30,40"), 422, "#/image"),
            (Form().file("video", Sample.image()).field("roi", "1,2,30,40"), 422, "#/video"),
            (Form().file("image", Sample.image()).field("tracker", "robust"), 422, "#/tracker"),
        ] as [(Form, Int, String)])
    func badForms(form: Form, status: Int, pointer: String) throws {
        let service = try Service()
        expectProblem(service.post(form, path), status, pointer: pointer)
        #expect(try isClean(service))
    }

    @Test(
        "what is wrong with JSON is told with its field",
        arguments: [
            ("[]", 422, "#"), ("{", 400, nil), (#"{"boxes":[[1,2,30,40]]}"#, 422, "#"),
            (#"{"upload":"x","boxes":[[1,2,30,40]]}"#, 422, "#/upload"),
            (#"{"job":"x","boxes":[[1,2,30,40]]}"#, 422, "#/job"),
            (#"{"job":"x","upload":"y","boxes":[[1,2,30,40]]}"#, 422, "#"),
            (#"{"upload":"x","frame":-1,"boxes":[[1,2,30,40]]}"#, 422, "#/frame"),
            (#"{"upload":"x","frame":0.5,"boxes":[[1,2,30,40]]}"#, 422, "#/frame"),
            (#"{"upload":"x","boxes":[[1,2,30,40]],"extra":1}"#, 422, "#/extra"),
            (#"{"upload":"x","boxes":5}"#, 422, "#/boxes"), (#"{"upload":"x"}"#, 422, "#/boxes"),
        ] as [(String, Int, String?)])
    func badJSON(body: String, status: Int, pointer: String?) throws {
        expectProblem(ask(try Service(), body), status, pointer: pointer)
    }

    @Test("more than 64 boxes are refused")
    func tooManyBoxes() throws {
        let service = try Service()
        let query = (0..<65).map { _ in "roi=1,2,30,40" }.joined(separator: "&")
        let answer = service.send("POST", path + "?" + query, [("Content-Type", "image/png")], body: Sample.image())
        expectProblem(answer, 422, pointer: "#/roi")
    }

    @Test("a body is bounded, uncoded and of a type that is taken")
    func bodies() throws {
        let service = try Service { $0.uploadBytes = 2_000 }
        let query = path + "?roi=1,2,30,40"
        let image = [(name: "Content-Type", value: "image/png")]
        expectProblem(service.send("POST", query, image, body: Sample.image(bytes: 3_000)), 413)
        expectProblem(service.send("POST", query, image), 411)
        expectProblem(service.send("POST", query, [("Content-Type", "text/plain")], body: Sample.image()), 415)
        expectProblem(
            service.send("POST", query, image + [("Content-Encoding", "gzip")], body: Sample.image()), 415)
        let large = "{\"upload\":\"\(String(repeating: "x", count: 70_000))\"}"
        expectProblem(ask(service, large), 413)
        expectProblem(service.send("GET", path), 405)
        expectProblem(service.send("POST", path + "?x=1", image, body: Sample.image()), 422, pointer: "#/x")
        #expect(try isClean(service))
    }

    @Test("a request that is cut off leaves nothing behind")
    func cutOff() throws {
        let service = try Service()
        let sink = try service.sink("POST", path + "?roi=1,2,30,40", [("Content-Type", "image/png")], count: 9_000)
        #expect(sink.take(Sample.image(bytes: 5_000)) == nil)
        #expect(try !isClean(service))
        sink.abort()
        #expect(try isClean(service))
    }

    @Test(
        "no more pictures are decoded at a time than may be, of jobs and of these together; one more is 503",
        .timeLimit(.minutes(10)))
    func limit() async throws {
        let media = HeldMedia()
        let service = try Service(media: media) { $0.frameDecodes = 1 }
        let upload = try service.upload(Sample.video())
        // It waits: on a thread of its own, not on one of Swift's.
        let statuses = await withCheckedContinuation { (done: CheckedContinuation<[Int], Never>) in
            DispatchQueue.global().async {
                let judge = { @Sendable in
                    service.send(
                        "POST", "/v1/trackability?roi=1,2,30,40", [("Content-Type", "image/png")], body: Sample.image()
                    ).status
                }
                let first = Mutex(0)
                let isDone = DispatchGroup()
                DispatchQueue.global().async(group: isDone) {
                    let status = judge()
                    first.withLock { $0 = status }
                }
                let isHeld = media.awaitDecode()
                let others = [judge(), service.send("GET", upload + "/frames/0").status]
                media.release()
                _ = isDone.wait(timeout: .now() + 60)
                done.resume(returning: isHeld ? others + [first.withLock { $0 }] : [])
            }
        }
        #expect(statuses == [503, 503, 200])
    }

    @Test("a stopping service takes none, and a full disk none with a picture")
    func stopping() throws {
        let health = ServiceHealth(workersExpected: 1, workersAlive: 1, isStopping: true)
        let image = [(name: "Content-Type", value: "image/png")]
        let query = path + "?roi=1,2,30,40"
        expectProblem(try Service(health: health).send("POST", query, image, body: Sample.image()), 503)
        let full = try Service { $0.diskReserveBytes = .max }
        expectProblem(full.send("POST", query, image, body: Sample.image()), 507)
    }

    // MARK: Frames of an upload

    @Test("a frame of an upload is PNG, or JPEG by Accept, with a tag")
    func frame() throws {
        let service = try Service()
        let upload = try service.upload(Sample.video())
        let png = service.send("GET", upload + "/frames/0")
        #expect(png.status == 200 && png.fields["Content-Type"] == "image/png" && png.text == "png of frame 0")
        let jpeg = service.send("GET", upload + "/frames/2", [("Accept", "image/jpeg")])
        #expect(jpeg.fields["Content-Type"] == "image/jpeg" && jpeg.text == "jpeg of frame 2")
        let tag = try #require(png.fields["ETag"])
        #expect(service.send("GET", upload + "/frames/0", [("If-None-Match", tag)]).status == 304)
        #expect(service.head(upload + "/frames/0", []).status == 200)
        #expect(png.fields["Tus-Resumable"] == nil)
        expectProblem(service.send("GET", upload + "/frames/0", [("Accept", "image/gif")]), 406)
        for number in ["3", "-1", "01", "x"] { expectProblem(service.send("GET", upload + "/frames/\(number)"), 404) }
        #expect(service.track(upload).status == 202)
        expectProblem(service.send("GET", upload + "/frames/0"), 410)
        expectProblem(service.send("GET", "/v1/uploads/x/frames/0"), 404)
    }

    @Test("an upload that is no video is told what it is")
    func noVideo() throws {
        let service = try Service()
        let upload = try service.upload(Sample.text)
        expectProblem(service.send("GET", upload + "/frames/0"), 415)
    }
}
