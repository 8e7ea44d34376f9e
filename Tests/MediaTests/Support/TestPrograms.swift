import Foundation
import Testing

/// FFmpeg's programs, for files that our own encoder does not make, and as a second opinion.
enum FFmpeg {
    static let isInstalled =
        FileManager.default.isExecutableFile(atPath: "/usr/bin/ffmpeg")
        && FileManager.default.isExecutableFile(atPath: "/usr/bin/ffprobe")

    static func run(_ arguments: [String]) throws {
        try _ = output(of: "/usr/bin/ffmpeg", ["-v", "error", "-nostdin", "-y"] + arguments)
    }

    /// The presentation stamps of the frames that FFmpeg itself decodes.
    static func stamps(_ path: String) throws -> [Int64] {
        let text = try output(
            of: "/usr/bin/ffprobe",
            ["-v", "quiet", "-select_streams", "v:0", "-show_entries", "frame=pts", "-of", "csv=p=0", path])
        return text.split(separator: "\n").compactMap { line in line.split(separator: ",").first.flatMap { Int64($0) } }
    }

    /// The pixels of all frames as FFmpeg itself decodes, turns and converts them, without padding.
    static func pixels(_ path: String, format: String) throws -> [UInt8] {
        let output = ["-vsync", "0", "-f", "rawvideo", "-pix_fmt", format, "-"]
        return Array(try data(of: "/usr/bin/ffmpeg", ["-v", "error", "-nostdin", "-i", path] + output))
    }

    private static func output(of program: String, _ arguments: [String]) throws -> String {
        String(decoding: try data(of: program, arguments), as: UTF8.self)
    }

    private static func data(of program: String, _ arguments: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(program) \(arguments) failed")
        return data
    }
}

enum Gzip {
    static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/bin/gzip")

    /// Replaces a file by its compressed self, with `.gz` at the end of the name.
    static func compress(_ path: String) throws {
        let process = try Process.run(URL(fileURLWithPath: "/usr/bin/gzip"), arguments: [path])
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }
}
