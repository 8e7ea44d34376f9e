import Foundation

/// `./run bench`: figures as ratios against a peer in the same run, since the machine's own speed varies.
@main
enum Main {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == DecodeAlone.subcommand, arguments.count == 2 {
            exit(DecodeAlone.run(path: arguments[1]))
        }
        let options = try BenchOptions(arguments)
        var report = BenchReport()
        try OverlapBench(options).run(&report)
        try TrackerBench(options).run(&report)
        try UploadBench(options).run(&report)
        print(report.table, terminator: "")
        if let path = options.jsonPath { try report.json.write(to: URL(fileURLWithPath: path)) }
    }
}

struct BenchOptions {
    var repeats = 5
    var jsonPath: String?
    /// Real sequences, where they are.
    let data: URL?
    /// The folder of this executable, where `lktrack` is too.
    let bin: URL
    let scratch: URL

    var lktrack: String { bin.appendingPathComponent("lktrack").path }
    var bench: String { bin.appendingPathComponent("lktrack-bench").path }

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let flag = rest.popFirst() {
            switch (flag, rest.popFirst()) {
            case ("--repeats", let value?): repeats = max(1, Int(value) ?? 5)
            case ("--json", let value?): jsonPath = value
            default:
                print("usage: ./run bench [--repeats N] [--json FILE]")
                exit(64)
            }
        }
        bin = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let path = ProcessInfo.processInfo.environment["LKTRACK_TEST_DATA"] ?? "../shared/data"
        data = FileManager.default.fileExists(atPath: path + "/sequences") ? URL(fileURLWithPath: path) : nil
        scratch = FileManager.default.temporaryDirectory.appendingPathComponent("lktrack-bench-\(getpid())")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    }
}

/// What was measured, one line each.
struct BenchReport {
    struct Line: Encodable {
        let name: String
        let minimum, median, maximum: Double
        let unit: String
        let target: String
    }

    private(set) var lines: [Line] = []

    mutating func add(_ name: String, _ values: [Double], unit: String, target: String) {
        let sorted = values.sorted()
        guard let low = sorted.first, let high = sorted.last else { return }
        lines.append(
            Line(
                name: name, minimum: low, median: sorted[sorted.count / 2], maximum: high, unit: unit, target: target))
    }

    var table: String {
        var text = "what".padding(toLength: 62, withPad: " ", startingAt: 0) + "     min  median     max  target\n"
        for line in lines {
            let name = "\(line.name), \(line.unit)".padding(toLength: 62, withPad: " ", startingAt: 0)
            text += name + String(format: "%8.2f%8.2f%8.2f  ", line.minimum, line.median, line.maximum)
            text += line.target + "\n"
        }
        return text
    }

    var json: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return try encoder.encode(lines)
        }
    }
}

/// A command's wall-clock time.
enum Stopwatch {
    static func seconds(_ executable: String, _ arguments: [String]) throws -> Double {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let start = ContinuousClock.now
        try process.run()
        process.waitUntilExit()
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        guard process.terminationStatus == 0 else {
            throw CocoaError(.executableLoad, userInfo: [NSDebugDescriptionErrorKey: "\(arguments) failed"])
        }
        return elapsed
    }
}
