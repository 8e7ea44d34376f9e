import Foundation
import ServiceHarness

/// A worker that was away for longer than its lease writes nothing: neither where it comes back with frames left, finds
/// its lease gone and lets go, nor where it is past looking and only the store can refuse what it publishes.
struct StoppedWorkerProof: Proof {
    let name = "zombie worker"
    let claim = "SIGSTOP past the lease, then SIGCONT: the job is another's by then, and no stale write comes"

    /// When a worker is stopped.
    private enum Moment: String {
        case tracking, publishing
    }

    private static let environment = ["LKTRACK_LEASE_SECONDS": "2"]

    func run(_ options: ProofOptions) throws -> ProofResult {
        let rounds = options.rounds(20, quick: 2)
        let server = try Server(environment: Self.environment.merging(["LKTRACK_ROLES": "api"]) { $1 })
        var result = ProofResult(tried: "")
        var refused: [Moment: Int] = [:]
        let ends = try EndBooks(server)
        for moment in [Moment.tracking, .publishing] {
            let work = try work(for: moment, server)
            for round in 1...rounds {
                let what = "\(moment.rawValue), round \(round)"
                let (id, away) = try stopped(work, moment, server)
                if try wasRefused(away, id, work, what, server, &result) { refused[moment, default: 0] += 1 }
                result.losses += try ends.losses([id]).map { "\(what): \($0)" }
            }
            result.expect(refused[moment] == rounds, "\(moment.rawValue): not each has found its lease lost")
        }
        result.losses += try Leftovers.losses(ofKilledWorkersOf: server)
        result.tried =
            "\(2 * rounds) workers stopped for longer than their lease of 2 s, \(rounds) of them with the result whole"
        result.figure =
            "\(refused[.tracking] ?? 0) let go, and of \(refused[.publishing] ?? 0) the store refused what they published"
        return result
    }

    /// With so much to do that no worker is done before it is stopped.
    private func work(for moment: Moment, _ server: Server) throws -> Work {
        let worker = try WorkerProcess(data: server.data.url.path)
        defer { worker.crash() }
        switch moment {
        case .tracking:
            let clip = try Clip.make(frames: 2000)
            return try Work(
                clip, query: "&tracker=template" + String(repeating: "&roi=\(clip.box)", count: 3),
                undisturbedOn: server)
        case .publishing:
            return try Work(Clip.make(frames: 400), query: "&tracker=template", undisturbedOn: server)
        }
    }

    /// Lets another do the job of a worker that was stopped, and has that go on. Returns whether it says that it published
    /// nothing.
    private func wasRefused(
        _ away: WorkerProcess, _ id: String, _ work: Work, _ what: String, _ server: Server,
        _ result: inout ProofResult
    ) throws -> Bool {
        let other = try WorkerProcess(data: server.data.url.path, environment: Self.environment)
        defer { withExtendedLifetime(other) {} }
        let path = "/v1/jobs/\(id)"
        try wait(for: "the other worker to finish it") {
            try server.wire.get(path).json["status"] as? String == "succeeded"
        }
        let job = try server.wire.get(path)
        // The other's, or where it was too slow for its own lease, once more.
        let attempt = job.json["attempt"] as? Int ?? 0
        result.expect((2...3).contains(attempt), "\(what): attempt \(attempt)")
        away.signal(SIGCONT)
        let wasRefused = (try? wait(for: "its word", seconds: 60) { away.log.says(Self.refusal, of: id) }) != nil
        try wait(for: "the stopped worker to let go") { Processes.decoders(of: away.identifier).isEmpty }
        result.expect(try server.wire.get(path).bytes == job.bytes, "\(what): the job has changed")
        let bytes = try server.wire.get(Work.result(of: id)).bytes
        result.expect(bytes == work.expected, "\(what): another result than where nothing disturbs")
        let results = server.blobs().filter { $0.contains(id) && $0.contains("result") }
        result.expect(results == ["jobs/\(id)/results-\(attempt).ndjson"], "\(what): \(results) are there")
        return wasRefused
    }

    /// A job, and the worker that was stopped at it.
    private func stopped(_ work: Work, _ moment: Moment, _ server: Server) throws -> (String, WorkerProcess) {
        let away = try WorkerProcess(data: server.data.url.path, environment: Self.environment)
        // A worker that was too quick for that has its job published, one that was too slow gives it up; it gets another.
        for _ in 1...20 {
            let lock = try DatabaseLock(server.data.path("lktrack.sqlite"))
            guard let id = try server.wire.submit(work.clip, query: work.query) else {
                throw ProofError("a job is not accepted")
            }
            switch moment {
            case .tracking:
                try wait(for: "the first frames") { try server.framesDone(id) > 0 }
                try away.suspend()
                return (id, away)
            case .publishing:
                if try stopAtPublishing(away, id, lock, server) { return (id, away) }
            }
        }
        throw ProofError("no worker could be stopped before it published")
    }

    /// Nobody can write to the database from before a job's last frame until its worker is stopped: that has its result
    /// whole by then, and is in the middle of publishing it, so it looks at its lease no more.
    private func stopAtPublishing(
        _ worker: WorkerProcess, _ id: String, _ lock: DatabaseLock, _ server: Server
    ) throws -> Bool {
        let path = "/v1/jobs/\(id)"
        // What is known of the video is the last that a worker writes before it tracks.
        try wait(for: "the job to run") { try server.source(id)["width"] is Int }
        try lock.take()
        defer { lock.release() }
        guard try server.wire.get(path).json["status"] as? String == "running" else { return false }
        let result = "jobs/\(id)/results-1.ndjson"
        try wait(for: "its result") { server.blobs().contains(result) || worker.log.says(Self.surrender, of: id) }
        pause(Self.publishingSeconds)
        guard !worker.log.says(Self.surrender, of: id) else { return false }
        try worker.suspend()
        return true
    }

    /// From a result that is whole to the transaction that publishes it: many times what it takes, and a small part of
    /// the time for which a worker waits for the database.
    private static let publishingSeconds = 0.3

    // What a worker logs.
    private static let refusal = "lease lost, nothing published"
    private static let surrender = "job given up before its lease ends"
}

extension Server {
    fileprivate func source(_ job: String) throws -> [String: Any] {
        try wire.get("/v1/jobs/\(job)").json["source"] as? [String: Any] ?? [:]
    }
}
