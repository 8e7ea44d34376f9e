import Foundation

/// What an upload of 1 GiB adds to the server's resident memory at its peak.
struct UploadBench {
    private let options: BenchOptions
    private static let bytes: UInt64 = 1 << 30

    init(_ options: BenchOptions) { self.options = options }

    func run(_ report: inout BenchReport) throws {
        let server = try BenchServer(options, data: "data")
        // An AVI header and zeros behind it: a sniffer takes it, and the disk holds a few blocks of it.
        let video = options.scratch.appendingPathComponent("large.avi")
        try Data("RIFF\0\0\0\0AVI LIST".utf8).write(to: video)
        let handle = try FileHandle(forWritingTo: video)
        try handle.truncate(atOffset: Self.bytes)
        try handle.close()

        let url = "\(server.url)/v1/jobs?roi=1,1,20,20"
        let before = server.memory("VmHWM")
        let seconds = try Stopwatch.seconds(
            "/usr/bin/env",
            ["curl", "-fsS", "-H", "Content-Type: video/x-msvideo", "-T", video.path, "-X", "POST", url])
        let grown = Double(server.memory("VmHWM") - before) / 1024
        report.add("1 GiB upload: peak resident memory grows by", [grown], unit: "MiB", target: "< 32")
        report.add("1 GiB upload, fsync included", [1024 / seconds], unit: "MiB/s", target: "")
    }
}
