import Foundation
import Media

/// What it costs that a video is decoded by a restricted process which hands its frames over in shared memory: beside
/// the same decoder in this process, in turn. For a whole video as a ratio, for one of a single frame as milliseconds a
/// job. The decoder is `lktrack` itself, as a server starts it: one is kept ready. Beside it, what a job pays that comes
/// before the next one is.
struct SandboxBench {
    private let options: BenchOptions
    private let reserve = DecoderReserve()

    init(_ options: BenchOptions) { self.options = options }

    func run(_ report: inout BenchReport) throws {
        let long = try video()
        var ratios: [Double] = []
        for _ in 0..<options.repeats {
            let inside = try Self.seconds { _ = try InProcessDecoder.decode(video: long) }
            try awaitSpare()
            let outside = try Self.seconds { try decode(long, kept) }
            ratios.append(outside / inside)
        }
        report.add("decoding a video in a sandbox / in process", ratios, unit: "ratio", target: "<= 1.1")

        let short = options.scratch.appendingPathComponent("one.avi").path
        _ = try Stopwatch.seconds(options.lktrack, ["synth", short, "--frames", "1", "--size", "320x240"])
        var costs: [Double] = []
        var coldCosts: [Double] = []
        for _ in 0..<max(options.repeats, Self.leastJobs) {
            let inside = try Self.seconds { _ = try InProcessDecoder.decode(video: short) }
            try awaitSpare()
            costs.append(1000 * (try Self.seconds { try decode(short, kept) } - inside))
            // The next one is loaded by now, and competes with nothing.
            try awaitSpare()
            coldCosts.append(1000 * (try Self.seconds { try decode(short, cold) } - inside))
        }
        report.add("a job's decoder, start to end, against in process", costs, unit: "ms", target: "<= 60")
        report.add("the same where none is kept ready", coldCosts, unit: "ms", target: "")
    }

    private static let leastJobs = 20

    /// As a server's.
    private var kept: DecoderCommand {
        var command = cold
        command.reserve = reserve
        return command
    }

    private var cold: DecoderCommand {
        DecoderCommand(executable: options.lktrack, arguments: [DecoderMain.subcommand])
    }

    /// Returns once a decoder waits for work, as in a server that was idle for a moment: asleep, ten looks on end.
    private func awaitSpare() throws {
        reserve.fill(for: kept, limits: DecodeLimits())
        let deadline = ContinuousClock.now + .seconds(30)
        var looks = 0
        while looks < 10 {
            guard ContinuousClock.now < deadline else { throw BenchError("no decoder is kept ready") }
            usleep(2000)
            let status = reserve.processIdentifier.flatMap {
                try? String(contentsOfFile: "/proc/\($0)/stat", encoding: .utf8)
            }
            looks = status?.contains(") S ") ?? false ? looks + 1 : 0
        }
    }

    /// By the clock: a decoder works in another process.
    private static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start) / .seconds(1)
    }

    private func decode(_ path: String, _ command: DecoderCommand) throws {
        let source = try DecoderProcess.open(.video(path: path), command: command)
        while try source.next() != nil {}
    }

    private func video() throws -> String {
        if let data = options.data { return data.appendingPathComponent("videos/vtest.avi").path }
        let path = options.scratch.appendingPathComponent("long.avi").path
        _ = try Stopwatch.seconds(
            options.lktrack, ["synth", path, "--frames", "400", "--size", "768x576", "--targets", "3"])
        return path
    }
}
