import Foundation
import ServiceHarness

/// A tenant that takes whatever it can get leaves the others theirs.
struct NoisyTenantProof: Proof {
    let name = "noisy tenant"
    let claim =
        "one floods with requests and jobs: another's never wait behind them, and take at most twice as long (p99)"

    private static let workers = 2
    /// What the key of the tenant that floods with requests gives: a bucket, a part of the queue, one of the workers.
    private static let (rate, queued, running) = ("50", "200", "1")
    /// Jobs that the tenant that floods with jobs has waiting. It may take all workers.
    private static let crowd = 100
    /// Jobs of the other meanwhile, one after another.
    private static let jobsInCrowd = 30
    private static let flooders = 4
    /// Between two requests of a flooder, in seconds: together they ask some twenty times as often as they may, and
    /// several times as often as jobs are done.
    private static let (requestPause, jobPause) = (0.003, 0.02)
    /// Between two GETs of the other, in seconds.
    private static let pace = 0.01
    private static let most = 2.0
    /// Of the flood's jobs that start while one of another's waits: each worker may have been about to take one, and
    /// takes one at a time.
    private static let mostOvertakers = workers

    func run(_ options: ProofOptions) throws -> ProofResult {
        let server = try Server("--workers", "\(Self.workers)")
        let quiet = QuietTenant(wire: server.wire, key: try server.key("quiet")[1], clip: try Clip.make(frames: 10))
        var result = ProofResult(tried: "")
        try floodWithRequests(server, quiet, options, &result)
        try floodWithJobs(server, quiet, &result)
        return result
    }

    private func floodWithRequests(
        _ server: Server, _ quiet: QuietTenant, _ options: ProofOptions, _ result: inout ProofResult
    ) throws {
        let jobs = options.rounds(300, quick: 120)
        let key = try server.key("loud", "--rate", Self.rate, "--queued", Self.queued, "--running", Self.running)[1]
        let keeper = try server.key("loud")[1]
        let loud = LoudTenant(wire: server.wire, key: key, clip: try Clip.make(frames: 10, seed: 2))
        // What is loaded and cached once counts for neither.
        _ = try quiet.work(jobs: 10, pace: Self.pace)

        // Calm before and after the flood, so that what else the machine does falls on both.
        var calm = try quiet.work(jobs: jobs / 2, pace: Self.pace)
        let (flooded, flood) = try work(
            quiet, jobs: jobs, beside: loud, pause: Self.requestPause, keeper: keeper, &result)
        calm += try quiet.work(jobs: jobs - jobs / 2, pace: Self.pace)

        result.expect(flood.waiting > 0, "the flood had no job waiting at its end")
        // Few jobs on a machine with other work to do are no measure of time: in quick rounds only their order counts.
        let most = options.isQuick ? Double.infinity : Self.most
        result.compare("a GET", calm.gets, flooded.gets, most: most)
        result.compare("a job", calm.jobs, flooded.jobs, most: most)
        let overtakers = flood.overtakers(of: flooded.waits)
        result.expect(
            overtakers <= Self.mostOvertakers, "\(overtakers) jobs of the flood started while one of another's waited")
        result.figure += "; at most \(overtakers) of the flood's jobs started while one of another's waited"
        result.tried =
            "\(jobs) jobs one after another and \(flooded.gets.count) GETs, beside \(loud.asked) requests "
            + "(\(loud.accepted) jobs accepted, \(loud.refused) answers 429)"
    }

    /// Here, whose turn it is decides alone: the flood may have all workers, and has jobs waiting all along.
    private func floodWithJobs(_ server: Server, _ quiet: QuietTenant, _ result: inout ProofResult) throws {
        let key = try server.key("crowd", "--queued", "\(Self.crowd)")[1]
        let loud = LoudTenant(wire: server.wire, key: key, clip: try Clip.make(frames: 60, seed: 2))
        let (flooded, flood) = try work(
            quiet, jobs: Self.jobsInCrowd, beside: loud, pause: Self.jobPause, keeper: key, &result)
        let waiting = flood.fewestWaiting(during: flooded.waits)
        result.expect(waiting > 0, "the flood had no job waiting while one of another's did")
        let overtakers = flood.overtakers(of: flooded.waits)
        result.expect(
            overtakers <= Self.mostOvertakers,
            "\(overtakers) jobs of a flood without a limit started while one of another's waited")
        result.tried += "; \(flooded.waits.count) jobs beside a flood that may take all workers (\(loud.accepted) jobs)"
        result.figure +=
            "; of a flood that may take all workers at most \(overtakers), while \(waiting) or more of it waited"
    }

    /// The quiet tenant's work once the loud one has filled its part of the queue.
    ///
    /// - Parameter keeper: a key of the loud one that has no rate.
    private func work(
        _ quiet: QuietTenant, jobs: Int, beside loud: LoudTenant, pause wait: Double, keeper: String,
        _ result: inout ProofResult
    ) throws -> (QuietTenant.Times, Flood) {
        let crew = Crew(Self.flooders) { _, _ in
            loud.ask()
            pause(wait)
        }
        let isFull = loud.awaitFullQueue()
        let times: QuietTenant.Times
        do {
            defer { crew.stop() }
            times = try quiet.work(jobs: jobs, pace: Self.pace)
        }
        let flood = try loud.clear(by: keeper)
        result.expect(isFull, "the flood never filled its part of the queue")
        result.losses += loud.errors
        return (times, flood)
    }
}

extension ProofResult {
    /// Expects the slowest of the second to take no more than so many times as long as those of the first.
    fileprivate mutating func compare(_ what: String, _ calm: [Double], _ flooded: [Double], most: Double) {
        let (before, meanwhile) = (percentile(calm, 0.99) * 1000, percentile(flooded, 0.99) * 1000)
        let medians = "\((percentile(calm, 0.5) * 1000).text(1)) and \((percentile(flooded, 0.5) * 1000).text(1))"
        let ratio = meanwhile / before
        figure +=
            (figure.isEmpty ? "" : "; ")
            + "\(what): p99 \(before.text(1)) ms, in the flood \(meanwhile.text(1)) (\(ratio.text(2)) times; "
            + "medians \(medians))"
        expect(ratio <= most, "the p99 of \(what) is \(ratio.text(2)) times that without the flood")
    }
}
