import Foundation
import ServiceHarness
import Synchronization

/// Somebody who submits a small job, waits for its end, and looks at another now and then.
struct QuietTenant: Sendable {
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
final class LoudTenant: Sendable {
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
    func clear(by key: String) throws -> Flood {
        var flood = Flood()
        while true {
            let answer = try wire.get("/v1/jobs?limit=200", [key])
            let jobs = answer.json["jobs"] as? [[String: Any]] ?? []
            guard answer.status == 200 else { throw ProofError("the list is answered with \(answer.status)") }
            guard !jobs.isEmpty else { return flood }
            for job in jobs {
                guard let created = job["created_at"] as? String else { throw ProofError("a job without a time") }
                flood.jobs.append((created, job["started_at"] as? String))
                _ = try wire.request("DELETE", "/v1/jobs/\(job["id"] ?? "")", fields: [key])
            }
        }
    }
}

/// The jobs of a loud tenant, by the server's clock.
struct Flood {
    /// When each was submitted, and when it started; `nil`: it had not when it was deleted.
    var jobs: [(created: String, started: String?)] = []

    var waiting: Int { jobs.count { $0.started == nil } }

    /// The most of them that started while one of another's waited.
    func overtakers(of waits: [ClosedRange<String>]) -> Int {
        waits.map { wait in jobs.count { job in job.started.map { wait.contains($0) } ?? false } }.max() ?? 0
    }

    /// The fewest of them that waited all the while that one of another's did.
    func fewestWaiting(during waits: [ClosedRange<String>]) -> Int {
        waits.map { wait in
            jobs.count { job in
                job.created < wait.lowerBound && (job.started.map { $0 > wait.upperBound } ?? true)
            }
        }.min() ?? 0
    }
}
