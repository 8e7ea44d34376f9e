import Foundation
import Testing

/// The way of a user, on real input, with the real binary and the real curl.
@Suite("The whole way over HTTP")
struct WholeWayTests {
    @Test("an archive of frames gets a box for every frame, the same in every format")
    func archive() throws {
        let sequence = try Material.sequence("Car4", box: "70,51,107,87", frames: 659)
        let folder = try TemporaryFolder()
        let tar = folder.path("frames.tar")
        #expect(try Executable.run("/usr/bin/env", ["tar", "-C", sequence.folder.path, "-cf", tar, "img"]).status == 0)
        let server = try Server()
        let id = try server.submit(["archive=@\(tar)", "roi=\(sequence.box)"])
        let job = try server.finish(id)
        #expect(job["status"] as? String == "succeeded")
        let progress = try #require(job["progress"] as? [String: Any])
        #expect(progress["frames_done"] as? Int == sequence.frames)
        #expect(progress["frames_total"] as? Int == sequence.frames)
        let source = try #require(job["source"] as? [String: Any])
        #expect(source["bytes"] as? Int == (try Data(contentsOf: URL(fileURLWithPath: tar))).count)

        let results = "/v1/jobs/\(id)/results"
        let json = try server.get(results)
        #expect(json["Content-Type"] == "application/json")
        let frames = try #require(try json.json()["frames"] as? [[String: Any]])
        #expect(frames.map { $0["frame"] as? Int } == (0..<sequence.frames).map { $0 })
        let boxes = frames.map { frame in
            ((frame["targets"] as? [[String: Any]])?.first?["box"] as? [Double]) ?? []
        }
        #expect(boxes.allSatisfy { $0.count == 4 && $0[2] > 0 && $0[3] > 0 })
        let given = sequence.box.split(separator: ",").compactMap { Double($0) }
        #expect(zip(boxes[0], given).allSatisfy { abs($0 - $1) < 0.001 })

        let otb = try server.get(results + "?format=otb").lines
        #expect(otb.count == sequence.frames)
        let otbBoxes = otb.map { $0.split(separator: ",").compactMap { Double($0) } }
        #expect(zip(otbBoxes, boxes).allSatisfy { zip($0, $1).allSatisfy { abs($0 - $1) < 0.001 } })

        let csv = try server.get(results, "-H", "Accept: text/csv").lines
        #expect(csv.count == sequence.frames + 1)
        let ndjson = try server.get(results + "?format=ndjson").lines
        #expect(ndjson.count == sequence.frames)
        let mot = try server.get(results + "?format=mot").lines.map { $0.split(separator: ",") }
        #expect(mot.count == sequence.frames)
        #expect(mot.allSatisfy { $0.count == 10 })
        #expect(mot.first?.first == "1")
        let first = try #require(mot.first).compactMap { Double($0) }
        #expect(abs(first[2] - given[0] - 1) < 0.001)
    }

    @Test("frames sent one by one are tracked in the natural order of their names")
    func repeatedFrames() throws {
        let sequence = try Material.sequence("DragonBaby", box: "160,83,56,65", frames: 113)
        let server = try Server()
        // Sent in reverse: the names decide.
        let id = try server.submit(["roi=\(sequence.box)"] + sequence.images.reversed().map { "frame=@\($0)" })
        let job = try server.finish(id)
        #expect(job["status"] as? String == "succeeded")
        let otb = try server.get("/v1/jobs/\(id)/results?format=otb").text

        let tracked = try Executable.lktrack("track", sequence.folder.path, "--roi", sequence.box, "--format", "otb")
        #expect(tracked.status == 0)
        #expect(otb == tracked.text)
        #expect(otb.split(separator: "\n").count == sequence.frames)
    }

    @Test("what only its colour tells from the ground is followed by a job and by `track` as `eval` says")
    func colors() throws {
        let sequence = try Material.onlyColored(frames: 30)
        let scored = try Executable.lktrack("eval", sequence.folder.path)
        // target, frames, success AUC …
        let row = try #require(scored.lines.last).split(separator: " ")
        #expect(try #require(Double(row[2])) > 0.8, "\(scored.text)")

        let tracked = try Executable.lktrack("track", sequence.folder.path, "--roi", sequence.box, "--format", "otb")
        let last = try #require(tracked.lines.last).split(separator: ",").compactMap { Double($0) }
        // It moved by 58 pixels.
        #expect(abs(last[0] - 98) < 3 && abs(last[1] - 40) < 3)

        let server = try Server()
        let id = try server.submit(["roi=\(sequence.box)"] + sequence.images.map { "frame=@\($0)" })
        #expect(try server.finish(id)["status"] as? String == "succeeded")
        #expect(try server.get("/v1/jobs/\(id)/results?format=otb").text == tracked.text)
    }

    @Test("a video with three boxes gets three boxes a frame, with the container's own times")
    func video() throws {
        let video = try Material.pedestrians()
        let server = try Server()
        let id = try server.submit(["video=@\(video.path)"] + video.boxes.map { "roi=\($0)" })
        let job = try server.finish(id)
        #expect(job["status"] as? String == "succeeded")
        let source = try #require(job["source"] as? [String: Any])
        #expect(source["kind"] as? String == "video")
        #expect(source["frame_rate"] as? Double == video.frameRate)
        let records = try server.get("/v1/jobs/\(id)/results?format=ndjson").lines.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(records.count == video.frames)
        for (index, record) in records.enumerated() {
            #expect((record["targets"] as? [Any])?.count == 3)
            let time = try #require(record["time"] as? Double)
            #expect(abs(time - Double(index) / video.frameRate) < 0.0011)
        }
        let slice = try server.get("/v1/jobs/\(id)/results?format=csv&from=10&to=12&target=target-2").lines
        #expect(slice.count == 3)
    }

    @Test("a raw body with the box in the query is a job too")
    func rawBody() throws {
        let video = try Material.syntheticVideo(frames: 20)
        let server = try Server()
        let response = try server.post(
            "/v1/jobs?roi=\(video.boxes[0])",
            ["--data-binary", "@\(video.path)", "-H", "Content-Type: application/octet-stream"])
        #expect(response.status == 202)
        let id = try #require(try response.json()["id"] as? String)
        #expect(response["Location"] == "/v1/jobs/\(id)")
        #expect(response["Retry-After"] == "1")
        #expect(try server.finish(id)["status"] as? String == "succeeded")

        // The same video again, by the job's id, from a later frame on.
        let spec = """
            {"source": {"job": "\(id)"}, "targets": [{"box": [\(video.boxes[0])]}], "stop_frame": 5}
            """
        let again = try server.post("/v1/jobs", ["-H", "Content-Type: application/json", "-d", spec])
        #expect(again.status == 202)
        let second = try #require(try again.json()["id"] as? String)
        #expect(try server.finish(second)["status"] as? String == "succeeded")
        #expect(try server.get("/v1/jobs/\(second)/results?format=ndjson").lines.count == 5)
    }

    @Test("a keyframe restarts its target there")
    func keyframes() throws {
        let video = try Material.syntheticVideo(frames: 30)
        let server = try Server()
        let spec = """
            {"targets": [{"id": "a", "box": [\(video.boxes[0])], "keyframes": [{"frame": 12, "box": [40, 50, 60, 30]}]}]}
            """
        let id = try server.submit(["video=@\(video.path)", "spec=\(spec)"])
        #expect(try server.finish(id)["status"] as? String == "succeeded")
        let boxes = try server.get("/v1/jobs/\(id)/results?format=otb").lines
        #expect(boxes.count == 30)
        #expect(boxes[12].split(separator: ",").compactMap { Double($0) } == [40, 50, 60, 30])
    }

    @Test("a finished job is corrected by a job of its video with a keyframe, and both can be compared")
    func correction() throws {
        let video = try Material.syntheticVideo(frames: 30)
        let server = try Server("--workers", "1")
        let id = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        #expect(try server.finish(id)["status"] as? String == "succeeded")
        let spec = """
            {"source": {"job": "\(id)"},
             "targets": [{"box": [\(video.boxes[0])], "keyframes": [{"frame": 12, "box": [40, 50, 60, 30]}]}]}
            """
        let answer = try server.post("/v1/jobs", ["-H", "Content-Type: application/json", "-d", spec])
        let corrected = try #require(try answer.json()["id"] as? String)
        #expect(try server.finish(corrected)["status"] as? String == "succeeded")
        let before = try server.get("/v1/jobs/\(id)/results?format=ndjson").lines
        let after = try server.get("/v1/jobs/\(corrected)/results?format=ndjson").lines
        #expect(before.count == 30 && after.count == 30)
        // The same up to the correction, and another from there on.
        #expect(after[..<12] == before[..<12])
        #expect(after[12] != before[12] && after[12].contains("[40,50,60,30]"))
        // Neither needs the other.
        #expect(try server.get("/v1/jobs/\(id)", "-X", "DELETE").status == 204)
        #expect(
            try server.get("/v1/jobs/\(corrected)/source").body == Data(contentsOf: URL(fileURLWithPath: video.path)))
    }

    @Test("the annotated video has a frame for each frame, and answers ranges")
    func annotatedVideo() throws {
        let video = try Material.syntheticVideo(frames: 24)
        let server = try Server()
        let id = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])", #"output={"video":"mp4"}"#])
        #expect(try server.finish(id)["status"] as? String == "succeeded")
        let mp4 = try server.get("/v1/jobs/\(id)/video")
        #expect(mp4.status == 200)
        #expect(mp4["Content-Type"] == "video/mp4")
        let folder = try TemporaryFolder()
        let path = try folder.write(mp4.body, to: "out.mp4")
        let probe = try Executable.run(
            "/usr/bin/env",
            [
                "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries",
                "stream=nb_read_frames,width,height", "-of", "csv=p=0", path,
            ])
        #expect(probe.text.trimmingCharacters(in: .whitespacesAndNewlines) == "320,240,24")
        let part = try server.get("/v1/jobs/\(id)/video", "-r", "4-7")
        #expect(part.status == 206)
        #expect(String(decoding: part.body, as: UTF8.self) == "ftyp")
    }

    @Test("frames/{n} is the picture that was tracked, as PNG or JPEG, and 404 past the end")
    func singleFrame() throws {
        let sequence = try Material.synthetic(frames: 5)
        let folder = try TemporaryFolder()
        let tar = folder.path("frames.tar")
        _ = try Executable.run("/usr/bin/env", ["tar", "-C", sequence.folder.path, "-cf", tar, "img"])
        let server = try Server()
        let id = try server.submit(["archive=@\(tar)", "roi=\(sequence.box)"])
        _ = try server.finish(id)
        let png = try server.get("/v1/jobs/\(id)/frames/3")
        #expect(png.status == 200)
        #expect(png["Content-Type"] == "image/png")
        #expect(Array(png.body.prefix(4)) == [0x89, 0x50, 0x4E, 0x47])
        let jpeg = try server.get("/v1/jobs/\(id)/frames/3", "-H", "Accept: image/jpeg")
        #expect(Array(jpeg.body.prefix(2)) == [0xFF, 0xD8])
        #expect(try server.get("/v1/jobs/\(id)/frames/5").status == 404)
        #expect(try server.get("/v1/jobs/\(id)/source").body == (try Data(contentsOf: URL(fileURLWithPath: tar))))
    }

    @Test("jobs are listed newest first, by pages and by state; a job has an entity tag")
    func list() throws {
        let video = try Material.syntheticVideo(frames: 4)
        let server = try Server()
        let ids = try (0..<3).map { _ in try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"]) }
        for id in ids { _ = try server.finish(id) }
        let page = try server.get("/v1/jobs?limit=2&status=succeeded")
        let listed = try #require(try page.json()["jobs"] as? [[String: Any]])
        #expect(listed.compactMap { $0["id"] as? String } == [ids[2], ids[1]])
        let link = try #require(page["Link"])
        #expect(link.contains("rel=\"next\""))
        let next = try #require(link.split(separator: ">").first?.dropFirst())
        let rest = try #require(try server.get(String(next)).json()["jobs"] as? [[String: Any]])
        #expect(rest.compactMap { $0["id"] as? String } == [ids[0]])

        let job = try server.get("/v1/jobs/\(ids[0])")
        let tag = try #require(job["ETag"])
        #expect(try server.get("/v1/jobs/\(ids[0])", "-H", "If-None-Match: \(tag)").status == 304)
    }

    @Test("the server says that it lives and that it is ready")
    func health() throws {
        let server = try Server()
        #expect(try server.get("/healthz").status == 200)
        #expect(try server.get("/readyz").status == 200)
        #expect(try server.get("/healthz", "-I").status == 200)
        let probe = try #require(try server.get("/healthz")["X-Request-Id"])
        let id = try #require(try server.get("/v1/jobs")["X-Request-Id"])
        #expect(server.log.line(containing: id) != nil)
        #expect(server.stop() == 0)
        // Probes come all the time, and are logged at `debug`.
        #expect(!server.log.text.contains(probe))
    }
}
