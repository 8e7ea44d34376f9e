import CapacityModel
import Foundation
import ServiceHarness

/// One node against four, of equal processors by control groups: a job whose targets they share, and a queue of jobs
/// beside what the simulation says of it.
struct PartsBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    private static let nodes = 4
    /// Of one processor for each node. So little, that four of them have half of one: what else the machine does should
    /// not slow four down more than one.
    private static let share = 0.125
    private static let targets = 64
    private static let frames = 60
    /// For each part.
    private static let partTargets = 16
    private static let queued = 16
    private static let queuedTargets = 4

    func run(_ report: inout BenchReport) throws {
        let limit: ProcessorLimit
        do {
            limit = try ProcessorLimit(share: Self.share, name: "probe")
        } catch {
            return report.skip("\(error)")
        }
        limit.remove()
        print("each node has \(Self.share) of a processor (\(limit.means)), one worker, and its decoders in that")
        let fleet = try NodeFleet(options, share: Self.share)
        let video = try material()
        try shared(video, fleet, &report)
        try queue(video, fleet, &report)
    }

    // MARK: A job in parts

    private func shared(_ video: String, _ fleet: NodeFleet, _ report: inout BenchReport) throws {
        var one: [Double] = []
        var ratios: [Double] = []
        var shares: [Double] = []
        for _ in 0..<options.repeats {
            // A node by itself, as it is fastest: in one pass.
            let alone = try fleet.with(nodes: 1, partTargets: 0) { try follow(video, fleet) }
            let together = try fleet.with(nodes: Self.nodes, partTargets: Self.partTargets) {
                try follow(video, fleet)
            }
            guard alone.bytes == together.bytes else { throw BenchError("the results of one node and four differ") }
            one.append(alone.seconds)
            ratios.append(alone.seconds / together.seconds)
            shares.append(try decodingSeconds(video) / (alone.seconds * Self.share))
        }
        report.add(
            "\(Self.targets) targets, \(Self.frames) frames, one node", one, unit: "s", target: "")
        report.add("the same: of this, decoding", shares, unit: "of the processor's time", target: "")
        report.add(
            "\(Self.targets) targets: one node / four nodes, the same bytes", ratios, unit: "times as long",
            target: ">= 3")
    }

    private func follow(_ video: String, _ fleet: NodeFleet) throws -> (seconds: Double, bytes: Data) {
        let start = ContinuousClock.now
        let id = try fleet.submit(video, targets: Self.targets, frames: Self.frames)
        _ = try fleet.awaitEnd(id)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return (seconds, try fleet.api.get("/v1/jobs/\(id)/results?format=ndjson").body)
    }

    /// What decoding the frames and nothing else takes of a processor, the start of the process included.
    private func decodingSeconds(_ video: String) throws -> Double {
        var (before, after) = (rusage(), rusage())
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &before)
        _ = try Stopwatch.seconds(options.decodeAlone, [video])
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &after)
        return Self.seconds(after) - Self.seconds(before)
    }

    private static func seconds(_ usage: rusage) -> Double {
        Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + 1e-6 * Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
    }

    // MARK: A queue

    /// Jobs a second of one node and of four where there are always some waiting, beside what ``Simulation`` says that
    /// nodes do on which a job takes as long as one takes here alone.
    private func queue(_ video: String, _ fleet: NodeFleet, _ report: inout BenchReport) throws {
        var rates: [Int: [Double]] = [:]
        var errors: [Int: [Double]] = [:]
        for _ in 0..<options.repeats {
            let length = try fleet.with(nodes: 1, partTargets: 0) {
                let times = try (0..<3).map { _ in
                    try fleet.seconds(of: fleet.submit(video, targets: Self.queuedTargets, frames: Self.frames))
                }
                return times.sorted()[1]
            }
            for count in [1, Self.nodes] {
                let measured = try drain(video, count, fleet)
                let predicted = predict(count, length).throughput
                rates[count, default: []].append(measured)
                errors[count, default: []].append(predicted / measured)
            }
        }
        for count in [1, Self.nodes] {
            let name = count == 1 ? "one node" : "four nodes"
            report.add("\(Self.queued) queued jobs, \(name)", rates[count] ?? [], unit: "jobs/s", target: "")
            report.add("the same: simulated / measured", errors[count] ?? [], unit: "ratio", target: "0.9 to 1.1")
        }
    }

    /// From the first job's start to the last one's end.
    private func drain(_ video: String, _ count: Int, _ fleet: NodeFleet) throws -> Double {
        try fleet.with(nodes: count, partTargets: 0) {
            let ids = try (0..<Self.queued).map { _ in
                try fleet.submit(video, targets: Self.queuedTargets, frames: Self.frames)
            }
            let times = try ids.map { try fleet.times($0) }
            guard let first = times.map(\.started).min(), let last = times.map(\.finished).max() else { return 0 }
            return Double(times.count) / last.timeIntervalSince(first)
        }
    }

    private func predict(_ nodes: Int, _ length: Double) -> SimulationResult {
        var installation = Installation(name: "bench")
        installation.nodes = nodes
        installation.workersPerNode = 1
        installation.processors = ProcessInfo.processInfo.activeProcessorCount
        // The database takes less than a hundredth of such jobs' time.
        return Simulation(
            installation, costs: DatabaseCosts(), lengths: .fixed(length), arrivals: .together, jobs: Self.queued,
            seed: 1
        ).run()
    }

    /// The first frames of a video of the size that surveillance cameras have.
    private func material() throws -> String {
        let path = options.scratch.appendingPathComponent("parts.avi").path
        if let data = options.data {
            _ = try Stopwatch.seconds(
                "/usr/bin/env",
                [
                    "ffmpeg", "-v", "error", "-i", data.appendingPathComponent("videos/vtest.avi").path, "-c", "copy",
                    "-frames:v", "\(Self.frames)", path,
                ])
        } else {
            _ = try Stopwatch.seconds(
                options.lktrack, ["synth", path, "--frames", "\(Self.frames)", "--size", "768x576", "--targets", "3"])
        }
        return path
    }
}
