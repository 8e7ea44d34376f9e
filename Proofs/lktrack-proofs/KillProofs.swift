import Foundation
import ServiceHarness

/// What was accepted survives `kill -9` of everything.
struct KillServerProof: Proof {
    let name = "kill server"
    let claim = "kill -9 of the server at random moments under load: every 202 is there, and each job ends once"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let rounds = options.rounds(200, quick: 5)
        let server = try Server("--workers", "\(Self.workers)")
        let work = try Work(Clip.make(frames: 30), query: "&tracker=template", undisturbedOn: server)
        let ends = try EndBooks(server)
        let submitters = Submitters(server)
        let crew = submitters.crew(2, work, pause: 0.1)
        var result = ProofResult(tried: "")
        for round in 0..<rounds {
            // None passes without a job; every other one may also come before anybody was told anything.
            if round % 2 == 0 { try submitters.awaitAnother() }
            pause(.random(in: 0.02...0.6))
            server.crash()
            result.expect(Leftovers.orphans(in: server.data).isEmpty, "a decoder outlived its server")
            try server.start()
            submitters.follow(server)
        }
        crew.stop()
        let accounts = Accounts(
            work: work, accepted: submitters.accepted, interruptions: rounds * Self.workers)
        let balance = try accounts.balance(server)
        result.losses += balance.losses
        result.losses += try ends.losses(accounts.accepted)
        let others = submitters.otherAnswers
        result.expect(others.isEmpty, "submissions were answered with \(Set(others).sorted())")
        result.losses += try Leftovers.lossesOnceStopped(server)
        result.tried = "\(rounds) kill -9, \(accounts.accepted.count) jobs accepted meanwhile"
        result.figure = balance.text
        return result
    }

    private static let workers = 2
}

/// The same with workers of their own.
struct KillWorkerProof: Proof {
    let name = "kill worker"
    let claim =
        "kill -9 of a worker's process at random moments: its jobs go on, end once, and keep nothing of dead attempts"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let rounds = options.rounds(100, quick: 5)
        let server = try Server(environment: ["LKTRACK_ROLES": "api"])
        let worker = try WorkerProcess(data: server.data.url.path)
        let work = try Work(Clip.make(frames: 300), query: "&tracker=template", undisturbedOn: server)
        let ends = try EndBooks(server)
        let submitters = Submitters(server)
        // Half of the jobs are filmed, too, so that workers are also killed with a result that is whole.
        let crews = [work, work.asking("&video=mp4")].map { submitters.crew(1, $0, pause: 0.4) }
        for round in 0..<rounds {
            if round % 2 == 1 {
                guard worker.log.line(containing: "job started", seconds: 300) != nil else {
                    throw ProofError("a worker starts no job")
                }
                pause(.random(in: 0...0.05))
            } else {
                pause(.random(in: 0.1...0.8))
            }
            worker.crash()
            try worker.start()
        }
        for crew in crews { crew.stop() }
        let accounts = Accounts(work: work, accepted: submitters.accepted, interruptions: rounds)
        let balance = try accounts.balance(server)
        worker.crash()
        var result = ProofResult(
            tried: "\(rounds) kill -9 of a worker, \(accounts.accepted.count) jobs accepted meanwhile",
            losses: balance.losses, figure: balance.text)
        result.losses += try ends.losses(accounts.accepted)
        result.losses += try Leftovers.losses(ofKilledWorkersOf: server)
        let filmed = try Database.ask(
            server.data.path("lktrack.sqlite"), "SELECT id FROM jobs WHERE video_key IS NOT NULL"
        ).count
        result.expect(filmed > 0, "no job was filmed")
        result.expect(balance.lostAttempts > 0, "no worker was killed at work")
        result.figure += "; \(filmed) with a video"
        return result
    }
}

/// A job that kills its worker is not run for ever.
struct PoisonProof: Proof {
    let name = "poison"
    let claim = "a job that kills its worker's process runs exactly 3 times"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let rounds = options.rounds(10, quick: 1)
        // With so much to do that no worker is done before it is found at work.
        let clip = try Clip.make(frames: 3000)
        let targets = String(repeating: "&roi=\(clip.box)", count: 31)
        let server = try Server(environment: ["LKTRACK_ROLES": "api"])
        var result = ProofResult(tried: "\(rounds) jobs whose worker is killed whenever they run")
        var runs: [Int] = []
        for _ in 0..<rounds {
            guard let id = try server.wire.submit(clip, query: targets) else {
                throw ProofError("a job is not accepted")
            }
            let worker = try WorkerProcess(data: server.data.url.path)
            var count = 0
            var job: [String: Any] = [:]
            let deadline = ContinuousClock.now + .seconds(600)
            repeat {
                job = try server.wire.get("/v1/jobs/\(id)").json
                // Running, and not by one that was killed.
                if job["status"] as? String == "running", job["attempt"] as? Int == count + 1 {
                    count += 1
                    worker.crash()
                    try worker.start()
                }
                guard ContinuousClock.now < deadline else { throw ProofError("the job does not end: \(job)") }
                pause(0.005)
            } while !["succeeded", "failed", "canceled"].contains(job["status"] as? String ?? "")
            runs.append(count)
            let code = (job["error"] as? [String: Any])?["code"] as? String
            result.expect(count == 3, "it ran \(count) times")
            result.expect(code == "worker_lost", "it ended as \(code ?? "\(job["status"] ?? "?")")")
        }
        result.losses += try Leftovers.losses(ofKilledWorkersOf: server)
        result.figure = "runs: \(runs.map(String.init).joined(separator: " "))"
        return result
    }
}
