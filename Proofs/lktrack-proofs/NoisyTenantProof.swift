import Foundation
import ServiceHarness
import Synchronization

/// A tenant that takes whatever it can get leaves the others theirs.
struct NoisyTenantProof: Proof {
    let name = "noisy tenant"
    let claim = "one floods with requests and jobs: another's GETs and small jobs take at most twice as long (p99)"

    /// What the flooding tenant is given by its key: a bucket, a part of the queue, and one of the two workers.
    private static let (rate, queued, running) = ("50", "200", "1")
    private static let flooders = 4
    /// Between two requests of a flooder, in seconds: together they ask some twenty times as often as they may.
    private static let flooderPause = 0.003
    /// Between two GETs of the other, in seconds.
    private static let pace = 0.01
    private static let most = 2.0

    func run(_ options: ProofOptions) throws -> ProofResult {
        let jobs = options.rounds(300, quick: 120)
        var (result, slower) = try compare(jobs: jobs)
        // What else a machine does falls on the flood alone now and then, and few jobs are no mean of that.
        for _ in 1..<options.rounds(1, quick: 3) where !slower.isEmpty && result.losses.isEmpty {
            let before = slower.joined(separator: ", ")
            (result, slower) = try compare(jobs: jobs)
            result.figure += "; once more, because \(before)"
        }
        result.losses += slower
        return result
    }

    /// - Returns: also what took too much longer in the flood.
    private func compare(jobs: Int) throws -> (ProofResult, slower: [String]) {
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
        let stillWaiting = try loud.clear(by: keeper)
        calm += try quiet.work(jobs: jobs - jobs / 2, pace: Self.pace)

        var result = ProofResult(tried: "")
        result.expect(isFull, "the flood never filled its part of the queue")
        result.expect(stillWaiting > 0, "the flood had no job waiting at its end")
        result.losses += loud.errors
        let slower = [
            result.compare("a GET", calm.gets, flooded.gets, most: Self.most),
            result.compare("a job", calm.jobs, flooded.jobs, most: Self.most),
        ]
        result.tried =
            "\(jobs) jobs one after another and \(flooded.gets.count) GETs, beside \(loud.asked) requests "
            + "(\(loud.accepted) jobs accepted, \(loud.refused) answers 429)"
        return (result, slower.compactMap(\.self))
    }
}

extension ProofResult {
    /// Notes both times.
    ///
    /// - Returns: what is wrong where the slowest of the second take more than so many times as long as those of the first.
    fileprivate mutating func compare(_ what: String, _ calm: [Double], _ flooded: [Double], most: Double) -> String? {
        let (before, meanwhile) = (percentile(calm, 0.99) * 1000, percentile(flooded, 0.99) * 1000)
        let medians = "\((percentile(calm, 0.5) * 1000).text(1)) and \((percentile(flooded, 0.5) * 1000).text(1))"
        let ratio = meanwhile / before
        figure +=
            (figure.isEmpty ? "" : "; ")
            + "\(what): p99 \(before.text(1)) ms, in the flood \(meanwhile.text(1)) (\(ratio.text(2)) times; "
            + "medians \(medians))"
        return ratio <= most ? nil : "the p99 of \(what) is \(ratio.text(2)) times that without the flood"
    }
}

/// Somebody who submits a small job, waits for its end, and looks at another now and then.
private struct QuietTenant: Sendable {
    struct Times {
        /// In seconds; of jobs from the submission to the answer that they have succeeded.
        var gets: [Double] = []
        var jobs: [Double] = []

        static func += (all: inout Times, more: Times) {
            all.gets += more.gets
            all.jobs += more.jobs
        }
    }

    let wire: WireServer
    let key: String
    let clip: Clip

    func work(jobs: Int, pace: Double) throws -> Times {
        var times = Times()
        let watched = try finishedJob()
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
            for _ in 0..<jobs { times.jobs.append(try seconds { _ = try finishedJob() }) }
        }
        if let status = failures.all.first {
            throw ProofError("\(failures.count) GETs of the quiet tenant failed, the first with \(status)")
        }
        times.gets = gets.all
        return times
    }

    private func finishedJob() throws -> String {
        guard let id = try wire.submit(clip, fields: [key]) else {
            throw ProofError("a job of the quiet tenant was refused")
        }
        var status = "queued"
        while status == "queued" || status == "running" {
            let answer = try wire.get("/v1/jobs/\(id)", [key, "Prefer: wait=30"])
            guard answer.status == 200 else { throw ProofError("its job is answered with \(answer.status)") }
            status = answer.json["status"] as? String ?? ""
        }
        guard status == "succeeded" else { throw ProofError("a job of the quiet tenant has \(status)") }
        return id
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

    /// Deletes all of its jobs, with a key that has no rate. Returns how many were waiting.
    func clear(by key: String) throws -> Int {
        var waiting = 0
        while true {
            let answer = try wire.get("/v1/jobs?limit=200", [key])
            let jobs = answer.json["jobs"] as? [[String: Any]] ?? []
            guard answer.status == 200 else { throw ProofError("the list is answered with \(answer.status)") }
            guard !jobs.isEmpty else { return waiting }
            for job in jobs {
                if job["status"] as? String == "queued" { waiting += 1 }
                _ = try wire.request("DELETE", "/v1/jobs/\(job["id"] ?? "")", fields: [key])
            }
        }
    }
}
