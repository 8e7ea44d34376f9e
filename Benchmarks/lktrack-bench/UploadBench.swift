import Foundation

/// What an upload of 1 GiB adds to the server's resident memory at its peak.
struct UploadBench {
    private let options: BenchOptions
    private static let bytes: UInt64 = 1 << 30

    init(_ options: BenchOptions) { self.options = options }

    func run(_ report: inout BenchReport) throws {
        let server = Process()
        let log = Pipe()
        server.executableURL = URL(fileURLWithPath: options.lktrack)
        server.arguments = ["serve", "--port", "0", "--data-dir", options.scratch.appendingPathComponent("data").path]
        server.currentDirectoryURL = options.scratch
        server.standardError = log
        server.standardOutput = FileHandle.nullDevice
        try server.run()
        defer {
            server.terminate()
            server.waitUntilExit()
        }
        guard let port = port(in: log.fileHandleForReading) else { return }

        // An AVI header and zeros behind it: a sniffer takes it, and the disk holds a few blocks of it.
        let video = options.scratch.appendingPathComponent("large.avi")
        try Data("RIFF\0\0\0\0AVI LIST".utf8).write(to: video)
        let handle = try FileHandle(forWritingTo: video)
        try handle.truncate(atOffset: Self.bytes)
        try handle.close()

        let url = "http://127.0.0.1:\(port)/v1/jobs?roi=1,1,20,20"
        let before = peak(of: server.processIdentifier)
        let seconds = try Stopwatch.seconds(
            "/usr/bin/env",
            ["curl", "-fsS", "-H", "Content-Type: video/x-msvideo", "-T", video.path, "-X", "POST", url])
        let grown = Double(peak(of: server.processIdentifier) - before) / 1024
        report.add("1 GiB upload: peak resident memory grows by", [grown], unit: "MiB", target: "< 32")
        report.add("1 GiB upload, fsync included", [1024 / seconds], unit: "MiB/s", target: "")
    }

    private func port(in log: FileHandle) -> Int? {
        var text = Data()
        while true {
            let bytes = log.availableData
            if bytes.isEmpty { return nil }
            text.append(bytes)
            for line in text.split(separator: UInt8(ascii: "\n")) {
                let entry = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
                if let port = entry?["port"] as? Int { return port }
            }
        }
    }

    /// VmHWM of /proc/PID/status, in KiB.
    private func peak(of process: Int32) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return Int(line.filter(\.isNumber)) ?? 0
    }
}
