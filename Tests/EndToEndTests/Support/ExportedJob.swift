import Foundation

/// A tracked job of three targets, one of which is lost on the way and one of which starts later, and its result in
/// every format as files of a folder, named after the formats.
final class ExportedJob: Sendable {
    static let frames = 50
    /// From this frame on, "bus" is painted over.
    static let lostFrom = 30
    /// The first frame of "late".
    static let lateFrom = 8
    /// The `stop_frame` of another job, whose CVAT tracks are in the folder `stopped`.
    static let stop = 20
    static let formats = ["ndjson", "json", "csv", "mot", "cvat", "coco", "labelstudio", "vtt"]

    let folder: TemporaryFolder
    /// `clip.mp4`, 25 frames a second.
    let video: String

    static let shared = Result { try ExportedJob() }

    private init() throws {
        folder = try TemporaryFolder()
        video = folder.path("clip.mp4")
        let spec = try Self.makeVideo(video)
        let server = try Server()
        let id = try server.submit(["video=@\(video)", "spec=\(spec)"])
        guard try server.finish(id)["status"] as? String == "succeeded" else {
            throw Server.Failure.timedOut("job \(id) to succeed: \(try server.job(id))")
        }
        for format in Self.formats {
            let response = try server.get("/v1/jobs/\(id)/results?format=\(format)", "--compressed")
            guard response.status == 200, response["Content-Encoding"] == "gzip" else {
                throw Server.Failure.timedOut("\(format), got \(response.status): \(response.text)")
            }
            _ = try folder.write(response.body, to: format)
        }
        // The same up to a frame before the end.
        let stopped = try server.submit([
            "video=@\(video)", "spec=\(spec.dropLast()), \"stop_frame\": \(Self.stop)}",
        ])
        guard try server.finish(stopped)["status"] as? String == "succeeded" else {
            throw Server.Failure.timedOut("job \(stopped) to succeed: \(try server.job(stopped))")
        }
        let stoppedTracks = try server.get("/v1/jobs/\(stopped)/results?format=cvat").body
        _ = try folder.write(try server.get("/v1/jobs/\(id)/results?format=otb&target=car").body, to: "otb")
        // Datumaro reads a folder.
        try FileManager.default.createDirectory(atPath: folder.path("dataset"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: folder.path("cvat"), toPath: folder.path("dataset/annotations.xml"))
        try FileManager.default.createDirectory(atPath: folder.path("stopped"), withIntermediateDirectories: true)
        _ = try folder.write(stoppedTracks, to: "stopped/annotations.xml")
    }

    /// Two scenes side by side; the right one disappears. Returns the spec of a job on it.
    private static func makeVideo(_ path: String) throws -> String {
        let left = try Material.syntheticVideo(frames: frames, targets: 2, seed: 3, size: "240x240", frameRate: 25)
        let right = try Material.syntheticVideo(frames: frames, seed: 5, size: "240x240", frameRate: 25)
        let filter =
            "[0:v][1:v]hstack,drawbox=x=240:y=0:w=240:h=240:color=gray:t=fill:enable='gte(n,\(lostFrom))'"
        let made = try Executable.run(
            "/usr/bin/env",
            [
                "ffmpeg", "-v", "error", "-i", left.path, "-i", right.path, "-filter_complex", filter, "-c:v",
                "libx264", "-crf", "12", path,
            ])
        guard made.status == 0 else { throw Server.Failure.timedOut("a video: \(made.standardError)") }
        let truth = try String(contentsOfFile: left.path.replacing(".avi", with: ".truth.csv"), encoding: .utf8)
        // A header, then a row for each frame and target.
        let late = truth.split(separator: "\n")[1 + 2 * lateFrom + 1].split(separator: ",")[4..<8].joined(
            separator: ",")
        let bus = right.boxes[0].split(separator: ",").compactMap { Double($0) }
        return """
            {"targets": [{"id": "car", "box": [\(left.boxes[0])]},
                         {"id": "bus", "box": [\(bus[0] + 240), \(bus[1]), \(bus[2]), \(bus[3])]},
                         {"id": "late", "box": [\(late)], "start_frame": \(lateFrom)}],
             "tracker": {"mode": "robust"}}
            """
    }
}
