import Foundation
import Testing

@Suite("Trackability, by curl")
struct TrackabilityTests {
    /// A job's first steps as a person takes them: look at the first frame, draw, and ask.
    private func judged(_ response: Curl.Response) throws -> [[String: Any]] {
        #expect(response.status == 200, "\(response.text)")
        return try #require(try response.json()["boxes"] as? [[String: Any]])
    }

    @Test("boxes that are tracked well are good, on an image and on the first frame of an upload")
    func goodBoxes() throws {
        let server = try Server("--workers", "1")
        let sequence = try Material.sequence("Car4", box: "70,51,107,87", frames: 3)
        let image = try #require(sequence.images.first)
        let found = try judged(
            try server.post("/v1/trackability", ["-F", "image=@\(image)", "-F", "roi=\(sequence.box)"]))
        #expect(found.count == 1 && found[0]["verdict"] as? String == "good", "\(found)")
        #expect(found[0]["findings"] as? [String] == [])
        // The same image as a raw body, and decoded from a frame that the service sends.
        let raw = try server.post(
            "/v1/trackability?roi=\(sequence.box)", ["-H", "Content-Type: image/jpeg", "--data-binary", "@\(image)"])
        #expect(try judged(raw)[0]["least_eigenvalue"] as? Double == found[0]["least_eigenvalue"] as? Double)
        #expect(server.blobs().isEmpty && server.decoders().isEmpty)

        let video = try Material.syntheticVideo(frames: 5, targets: 3)
        let size = try #require(FileManager.default.attributesOfItem(atPath: video.path)[.size] as? Int)
        let upload = try #require(
            try server.post(
                "/v1/uploads",
                [
                    "-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: \(size)", "-H",
                    "Content-Type: application/offset+octet-stream", "--data-binary", "@\(video.path)",
                ])["Location"])
        let id = try #require(upload.split(separator: "/").last)
        let boxes = video.boxes.map { "[\($0)]" }.joined(separator: ",")
        let ofUpload = try judged(
            try server.post(
                "/v1/trackability",
                ["-H", "Content-Type: application/json", "-d", #"{"upload":"\#(id)","boxes":[\#(boxes)]}"#]))
        #expect(ofUpload.map { $0["verdict"] as? String } == Array(repeating: "good", count: 3), "\(ofUpload)")

        // The first frame is the one that the job is tracked on, and judged on a picture it is judged alike.
        let folder = try TemporaryFolder()
        let first = try server.get(upload + "/frames/0")
        #expect(first.status == 200 && first["Content-Type"] == "image/png")
        let picture = try folder.write(first.body, to: "first.png")
        let ofPicture = try judged(
            try server.post("/v1/trackability", ["-F", "image=@\(picture)", "-F", "boxes=[\(boxes)]"]))
        for (a, b) in zip(ofPicture, ofUpload) {
            #expect(a["verdict"] as? String == b["verdict"] as? String)
            // A video's brightness is its own, a picture's is made of its colours.
            let (least, other) = (a["least_eigenvalue"] as? Double ?? 0, b["least_eigenvalue"] as? Double ?? 0)
            #expect(abs(least - other) < 0.1 * other)
        }
        let job = try server.post(
            "/v1/jobs",
            [
                "-H", "Content-Type: application/json", "-d",
                #"{"source":{"upload":"\#(id)"},"targets":[{"box":[\#(video.boxes[0])]}]}"#,
            ])
        let jobID = try #require(try job.json()["id"] as? String)
        #expect(try server.get("/v1/jobs/\(jobID)/frames/0").body == first.body)
        let later = try judged(
            try server.post(
                "/v1/trackability",
                ["-H", "Content-Type: application/json", "-d", #"{"job":"\#(jobID)","frame":4,"boxes":[\#(boxes)]}"#]))
        #expect(later.count == 3)
        #expect(try server.finish(jobID)["status"] as? String == "succeeded")
    }

    @Test("a flat box is untrackable, one on an edge slides, one on a corner is good")
    func synthetic() throws {
        let folder = try TemporaryFolder()
        // A bright rectangle on grey, as a binary PGM that ffmpeg makes a PNG of.
        let pixels = (0..<240 * 320).map { k -> UInt8 in
            (100..<220).contains(k % 320) && (80..<160).contains(k / 320) ? 210 : 90
        }
        let pgm = try folder.write(Data("P5 320 240 255\n".utf8) + Data(pixels), to: "scene.pgm")
        let made = try Executable.run(
            "/usr/bin/env", ["ffmpeg", "-v", "error", "-i", pgm, folder.path("scene.png")])
        #expect(made.status == 0)
        let server = try Server("--workers", "1")
        let found = try judged(
            try server.post(
                "/v1/trackability",
                [
                    "-F", "image=@\(folder.path("scene.png"))", "-F", "roi=20,20,40,40", "-F", "roi=140,60,40,40",
                    "-F", "roi=80,60,40,40",
                ]))
        #expect(found.map { $0["verdict"] as? String } == ["untrackable", "poor", "good"], "\(found)")
        #expect(found.map { ($0["findings"] as? [String])?.first } == ["flat", "edge", nil])
        for box in found { #expect((box["advice"] as? String)?.hasSuffix(".") == true) }
    }

    @Test("what cannot be decoded is refused with its reason, and the server lives")
    func undecodable() throws {
        let server = try Server("--workers", "1")
        let folder = try TemporaryFolder()
        let sequence = try Material.sequence("Car4", box: "70,51,107,87", frames: 3)
        let whole = try Data(contentsOf: URL(fileURLWithPath: try #require(sequence.images.first)))
        let cut = try folder.write(whole.prefix(whole.count / 2), to: "cut.jpg")
        let answer = try server.post("/v1/trackability", ["-F", "image=@\(cut)", "-F", "roi=70,51,107,87"])
        #expect(answer.status == 422 && answer.text.contains("#/image"), "\(answer.text)")
        #expect(answer["Content-Type"] == "application/problem+json")
        let limited = try Server("--workers", "1", environment: ["LKTRACK_LIMITS_PIXELS": "1000"])
        let image = try folder.write(whole, to: "whole.jpg")
        let large = try limited.post("/v1/trackability", ["-F", "image=@\(image)", "-F", "roi=70,51,107,87"])
        #expect(large.status == 422 && large.text.contains("pixels"), "\(large.text)")
        #expect(server.blobs().isEmpty && limited.blobs().isEmpty)
        #expect(try server.get("/healthz").status == 200)
    }
}
