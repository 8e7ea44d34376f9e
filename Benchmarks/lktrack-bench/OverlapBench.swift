import CVBridge
import Foundation

/// How much longer a video with three targets takes to track than to decode with the same backend and nothing else.
/// Both are whole processes, start included, run in turn.
struct OverlapBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run(_ report: inout BenchReport) throws {
        let video: String
        let boxes: [String]
        if let data = options.data {
            video = data.appendingPathComponent("videos/vtest.avi").path
            boxes = ["254,218,30,90", "500,156,30,78", "640,240,45,82"]
        } else {
            (video, boxes) = try synthetic()
        }
        var ratios: [Double] = []
        var alone: [Double] = []
        for _ in 0..<options.repeats {
            let decoding = try Stopwatch.seconds(options.bench, [DecodeAlone.subcommand, video])
            let tracking = try Stopwatch.seconds(
                options.lktrack,
                ["track", video, "--output", "/dev/null", "--format", "ndjson"] + boxes.flatMap { ["--roi", $0] })
            alone.append(decoding)
            ratios.append(tracking / decoding)
        }
        report.add("decoding alone, OpenCV in process", alone, unit: "s", target: "")
        report.add("lktrack track with 3 targets / decoding alone", ratios, unit: "ratio", target: "<= 1.5")
    }

    private func synthetic() throws -> (String, [String]) {
        let path = options.scratch.appendingPathComponent("scene.avi").path
        _ = try Stopwatch.seconds(
            options.lktrack, ["synth", path, "--frames", "400", "--size", "768x576", "--targets", "3"])
        let truth = try String(
            contentsOf: options.scratch.appendingPathComponent("scene.truth.csv"), encoding: .utf8)
        return (
            path,
            truth.split(separator: "\n").dropFirst().prefix(3).map {
                $0.split(separator: ",")[4..<8].joined(separator: ",")
            }
        )
    }
}

/// Decodes a video to grey in this process and does nothing with it.
enum DecodeAlone {
    static let subcommand = "decode-alone"

    static func run(path: String) -> Int32 {
        var text = [CChar](repeating: 0, count: 256)
        return text.withUnsafeMutableBufferPointer { buffer -> Int32 in
            let error = cvb_error(text: buffer.baseAddress, capacity: buffer.count)
            var video: OpaquePointer?
            var picture: OpaquePointer?
            let demuxer = path.hasSuffix(".avi") ? "avi" : "mov"
            guard cvb_video_open(path, demuxer, &video, error) == CVB_OK,
                cvb_picture_create(&picture, error) == CVB_OK
            else { return 65 }
            defer {
                cvb_video_close(video)
                cvb_picture_destroy(picture)
            }
            var gray: [UInt8] = []
            while cvb_video_grab(video, error) == CVB_OK {
                guard cvb_video_retrieve(video, cvb_orientation(), picture, error) == CVB_OK else { return 65 }
                let width = cvb_picture_width(picture)
                let height = cvb_picture_height(picture)
                if gray.isEmpty { gray = [UInt8](repeating: 0, count: Int(width) * Int(height)) }
                let written = gray.withUnsafeMutableBufferPointer { pixels in
                    let view = cvb_view(
                        pixels: pixels.baseAddress, width: width, height: height, channels: 1,
                        bytes_per_row: Int(width))
                    return cvb_picture_write(picture, view, cvb_view(), error)
                }
                guard written == CVB_OK else { return 65 }
            }
            return 0
        }
    }
}
