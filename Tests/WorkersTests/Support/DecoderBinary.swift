import Foundation
import Media

/// `lktrack` as built beside this test bundle, or the one that LKTRACK_BINARY names.
enum DecoderBinary {
    static let path: String = {
        if let path = ProcessInfo.processInfo.environment["LKTRACK_BINARY"] { return path }
        var folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        if let bundle = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") }) {
            folder = URL(fileURLWithPath: bundle).deletingLastPathComponent()
        }
        return folder.appendingPathComponent("lktrack").path
    }()

    /// - Parameter executable: a link to the binary, by which its processes can be told from others.
    static func command(_ executable: String = path) -> DecoderCommand {
        DecoderCommand(executable: executable, arguments: [DecoderMain.subcommand])
    }

    /// The processes that were started by this path.
    static func processes(of executable: String) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { pid in
            let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            return line.starts(with: Data((executable + "\0").utf8))
        }
    }
}
