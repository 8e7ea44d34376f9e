import Foundation
import Media

/// `./run bench`: figures as ratios against a peer in the same run, since the machine's own speed varies.
@main
enum Main {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        // A decoder process that a benchmark starts.
        if arguments.first == DecoderMain.subcommand { _exit(DecoderMain.run()) }
        if arguments.first == ClaimsBench.claimer { try ClaimsBench.claim(Array(arguments.dropFirst())) }
        let options = try BenchOptions(arguments)
        defer { try? FileManager.default.removeItem(at: options.scratch) }
        Peers.useOneThread()
        var report = BenchReport(repeats: options.repeats)
        for part in options.parts {
            report.begin(part)
            try part.run(options, &report)
        }
        try report.json.write(to: URL(fileURLWithPath: options.jsonPath))
        print("\nwrote \(options.jsonPath)")
    }
}

/// What can be measured by itself.
enum BenchPart: String, CaseIterable, Codable {
    case trackers, ablation, sensitivity, frame, alignment, flow, targets, resolution, overlap, sandbox, upload,
        watchers
    case load, queue, claims, stores
    case parts, database

    var summary: String {
        switch self {
        case .trackers: "success, precision and speed on the public sequences, beside OpenCV's trackers"
        case .ablation: "success on the public sequences without each part of mode robust"
        case .sensitivity: "success on the public sequences with each parameter halved and doubled"
        case .frame: "the time of single frames, a target of 60x80 in 640x360"
        case .alignment: "an affine alignment's iteration, beside cv::findTransformECC"
        case .flow: "100 points, beside cv::calcOpticalFlowPyrLK"
        case .targets: "growth with the number of targets"
        case .resolution: "growth with the size of the frame"
        case .overlap: "tracking a video, beside decoding it"
        case .sandbox: "decoding in a restricted process, beside decoding in this one"
        case .upload: "the server's memory during a large upload"
        case .watchers: "reading a job while a thousand clients watch jobs"
        case .load: "requests a second, beside a bare libmicrohttpd program that answers the same; submissions"
        case .queue: "claiming and listing with 100,000 queued jobs, beside 1,000"
        case .parts: "a job of 64 targets, and a queue of jobs, on one node and on four of equal processors"
        case .database: "what each operation asks of PostgreSQL"
        case .claims: "claims a second through PostgreSQL, by eight processes"
        case .stores: "a node under a mixed load on PostgreSQL, beside the same on SQLite"
        }
    }

    func run(_ options: BenchOptions, _ report: inout BenchReport) throws {
        switch self {
        case .trackers: try SequenceBench(options).run(&report)
        case .ablation: try AblationBench(options).run(&report)
        case .sensitivity: try SensitivityBench(options).run(&report)
        case .frame: try FrameTimeBench(options).run(&report)
        case .alignment: try AlignmentBench(options).run(&report)
        case .flow: try FlowBench(options).run(&report)
        case .targets: try TargetCountBench(options).run(&report)
        case .resolution: try ResolutionBench(options).run(&report)
        case .overlap: try OverlapBench(options).run(&report)
        case .sandbox: try SandboxBench(options).run(&report)
        case .upload: try UploadBench(options).run(&report)
        case .watchers: try WatchersBench(options).run(&report)
        case .load: try LoadBench(options).run(&report)
        case .queue: try QueueBench(options).run(&report)
        case .parts: try PartsBench(options).run(&report)
        case .database: try DatabaseBench(options).run(&report)
        case .claims: try ClaimsBench(options).run(&report)
        case .stores: try StoresBench(options).run(&report)
        }
    }
}

struct BenchOptions {
    var parts: [BenchPart] = []
    var repeats = 5
    var jsonPath = "bench.json"
    /// Real sequences, where they are.
    let data: URL?
    /// The folder of this executable, where `lktrack` is too.
    let bin: URL
    let scratch: URL

    var lktrack: String { bin.appendingPathComponent("lktrack").path }
    var decodeAlone: String { bin.appendingPathComponent("lktrack-decode-alone").path }

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--repeats":
                guard let value = rest.popFirst().flatMap(Int.init), value > 0 else {
                    Self.refuse("--repeats needs a number from 1")
                }
                repeats = value
            case "--json":
                guard let value = rest.popFirst() else { Self.refuse("--json needs a file") }
                jsonPath = value
            case "-h", "--help":
                print(Self.usage)
                exit(0)
            default:
                guard let part = BenchPart(rawValue: argument) else { Self.refuse("there is no part '\(argument)'") }
                parts.append(part)
            }
        }
        if parts.isEmpty { parts = BenchPart.allCases }
        bin = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let path = ProcessInfo.processInfo.environment["LKTRACK_TEST_DATA"] ?? "../shared/data"
        data = FileManager.default.fileExists(atPath: path + "/sequences") ? URL(fileURLWithPath: path) : nil
        scratch = FileManager.default.temporaryDirectory.appendingPathComponent("lktrack-bench-\(getpid())")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    }

    private static var usage: String {
        let parts = BenchPart.allCases.map { part in
            "  \(part.rawValue.padding(toLength: 12, withPad: " ", startingAt: 0))\(part.summary)"
        }
        return """
            usage: ./run bench [PART...] [--repeats N] [--json FILE]

            Prints each figure's minimum, median and maximum over N repeats (5) and writes them to FILE (bench.json).
            Without PART, everything:

            \(parts.joined(separator: "\n"))

            Real sequences are read from LKTRACK_TEST_DATA, or from ../shared/data where that is; without them,
            `trackers` is left out and the others use made-up frames.
            """
    }

    private static func refuse(_ reason: String) -> Never {
        FileHandle.standardError.write(Data("\(reason)\n\n\(usage)\n".utf8))
        exit(64)
    }
}
