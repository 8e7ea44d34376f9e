import Foundation
import ServiceHarness
import Synchronization

/// A tenant that takes whatever it can get leaves the others theirs.
struct NoisyTenantProof: Proof {
    let name = "noisy tenant"
    let claim =
        "one floods with requests and jobs: another's never wait behind them, and take at most twice as long (p99)"

    /// What the flooding tenant is given by its key: a bucket, a part of the queue, and one of the two workers.
    private static let (rate, queued, running) = ("50", "200", "1")
    private static let flooders = 4
    /// Between two requests of a flooder, in seconds: together they ask some twenty times as often as they may.
    private static let flooderPause = 0.003
    /// Between two GETs of the other, in seconds.
    private static let pace = 0.01
    private static let most = 2.0
    /// The flood may have one job at a time, so that the other worker is there for who comes: one that was about to start,
    /// and one within the same millisecond.
    private static let mostOvertakers = 2

    func run(_ options: ProofOptions) throws -> ProofResult {
        let jobs = options.rounds(300, quick: 120)
        let server = try Server("--workers", "2")
        let quiet = QuietTenant(wire: server.wire, key: try server.key("quiet")[1], clip: try Clip.make(frames: 10))
        let key = try server.key("loud", "--rate", Self.rate, "--queued", Self.queued, "--running", Self.running)[1]
        let keeper = try server.key("loud")[1]
        let loud = LoudTenant(wire: server.wire, key: key, clip: try Clip.make(frames: 10, seed: 2))
        // What is loaded and cached once counts for neither.
        _ = try quiet.work(jobs: 10, pace: Self.pace)

        // Calm before and after the flood, so that what else the machine does falls on both.
        var calm = try quiet.work(jobs: jobs / 2, pace: Self.pace)
        let crew = Crew(Self.flooders) { _, _ in
            loud.ask()
            pause(Self.flooderPause)
        }
        let isFull = loud.awaitFullQueue()
        let flooded: QuietTenant.Times
        do {
            defer { crew.stop() }
            flooded = try quiet.work(jobs: jobs, pace: Self.pace)
        }
        let flood = try loud.clear(by: keeper)
        calm += try quiet.work(jobs: jobs - jobs / 2, pace: Self.pace)

        var result = ProofResult(tried: "")
        result.expect(isFull, "the flood never filled its part of the queue")
        result.expect(flood.waiting > 0, "the flood had no job waiting at its end")
        result.losses += loud.errors
        // Few jobs on a machine with other work to do are no measure of time: in quick rounds only their order counts.
        let most = options.isQuick ? Double.infinity : Self.most
        result.compare("a GET", calm.gets, flooded.gets, most: most)
        result.compare("a job", calm.jobs, flooded.jobs, most: most)
        let overtakers = flooded.waits.map { wait in flood.starts.count { wait.contains($0) } }.max() ?? 0
        result.expect(
            overtakers <= Self.mostOvertakers, "\(overtakers) jobs of the flood started while one of another's waited")
        result.figure += "; at most \(overtakers) of the flood's jobs started while one of another's waited"
        result.tried =
            "\(jobs) jobs one after another and \(flooded.gets.count) GETs, beside \(loud.asked) requests "
            + "(\(loud.accepted) jobs accepted, \(loud.refused) answers 429)"
        return result
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

/// Somebody who submits a small job, waits for its end, and looks at another now and then.
private struct QuietTenant: Sendable {
    struct Times {
        /// In seconds; of jobs from the submission to the answer that they have succeeded.
        var gets: [Double] = []
        var jobs: [Double] = []
        /// From the submission of each job to its start, by the server's clock.
        var waits: [ClosedRange<String>] = []

        static func += (all: inout Times, more: Times) {
            all.gets += more.gets
            all.jobs += more.jobs
            all.waits += more.waits
        }
    }

    let wire: WireServer
    let key: String
    let clip: Clip

    func work(jobs: Int, pace: Double) throws -> Times {
        var times = Times()
        let watched = try finishedJob().id
        let gets = Tally<Double>()
        let failures = Tally<Int>()
        let crew = Crew(1) { [self] _, _ in
            let taken = seconds {
                let status = (try? wire.get("/v1/jobs/\(watched)", [key]).status) ?? 0
                if status != 200 { failures.add(status) }
            }
            gets.add(taken)
            pause(pace)
        }
        do {
            defer { crew.stop() }
            for _ in 0..<jobs {
                times.jobs.append(try seconds { times.waits.append(try finishedJob().wait) })
            }
        }
        if let status = failures.all.first {
            throw ProofError("\(failures.count) GETs of the quiet tenant failed, the first with \(status)")
        }
        times.gets = gets.all
        return times
    }

    private func finishedJob() throws -> (id: String, wait: ClosedRange<String>) {
        guard let id = try wire.submit(clip, fields: [key]) else {
            throw ProofError("a job of the quiet tenant was refused")
        }
        var job: [String: Any] = [:]
        repeat {
            let answer = try wire.get("/v1/jobs/\(id)", [key, "Prefer: wait=30"])
            guard answer.status == 200 else { throw ProofError("its job is answered with \(answer.status)") }
            job = answer.json
        } while ["queued", "running"].contains(job["status"] as? String)
        guard job["status"] as? String == "succeeded", let created = job["created_at"] as? String,
            let started = job["started_at"] as? String, created <= started
        else { throw ProofError("a job of the quiet tenant ended so: \(job)") }
        return (id, created...started)
    }
}

/// Somebody who asks as if there were no limits. From any thread.
private final class LoudTenant: Sendable {
    private let wire: WireServer
    private let key: String
    private let clip: Clip
    private let counts = Mutex(Counts())
    private let wrong = Tally<String>()

    private struct Counts {
        var asked = 0
        var accepted = 0
        var refused = 0
        var isQueueFull = false
    }

    init(wire: WireServer, key: String, clip: Clip) {
        self.wire = wire
        self.key = key
        self.clip = clip
    }

    var asked: Int { counts.withLock { $0.asked } }
    var accepted: Int { counts.withLock { $0.accepted } }
    var refused: Int { counts.withLock { $0.refused } }
    var errors: [String] { wrong.all }

    /// Submits a job.
    func ask() {
        do {
            let answer = try wire.request(
                "POST", "/v1/jobs?roi=\(clip.box)", fields: ["Content-Type: application/octet-stream", key],
                body: clip.bytes)
            counts.withLock { counts in
                counts.asked += 1
                if answer.status == 202 { counts.accepted += 1 }
                if answer.status == 429 { counts.refused += 1 }
                if answer.body.contains("queue-quota") { counts.isQueueFull = true }
            }
            if answer.status != 202, answer.status != 429 { wrong.add("the flood was answered with \(answer.status)") }
        } catch {
            wrong.add("\(error)")
        }
    }

    /// Whether it becomes so.
    func awaitFullQueue() -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if counts.withLock({ $0.isQueueFull }) { return true }
            pause(0.02)
        }
        return false
    }

    /// Deletes all of its jobs, with a key that has no rate.
    ///
    /// - Returns: how many were waiting, and when the others had started.
    func clear(by key: String) throws -> (waiting: Int, starts: [String]) {
        var (waiting, starts): (Int, [String]) = (0, [])
        while true {
            let answer = try wire.get("/v1/jobs?limit=200", [key])
            let jobs = answer.json["jobs"] as? [[String: Any]] ?? []
            guard answer.status == 200 else { throw ProofError("the list is answered with \(answer.status)") }
            guard !jobs.isEmpty else { return (waiting, starts) }
            for job in jobs {
                if job["status"] as? String == "queued" { waiting += 1 }
                if let start = job["started_at"] as? String { starts.append(start) }
                _ = try wire.request("DELETE", "/v1/jobs/\(job["id"] ?? "")", fields: [key])
            }
        }
    }
}
