import Foundation
import ServiceHarness

/// What was accepted survives `kill -9` of everything.
struct KillServerProof: Proof {
    let name = "kill server"
    let claim = "kill -9 of the server at random moments under load: every 202 is there, and each job ends once"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let rounds = options.rounds(200, quick: 15)
        let clip = try Clip.make(frames: 8)
        let server = try Server("--workers", "2")
        let submitters = Submitters(server)
        let crew = submitters.crew(2, clip, pause: 0.1)
        var result = ProofResult(tried: "")
        for _ in 0..<rounds {
            pause(.random(in: 0.02...0.6))
            let decoders = server.children()
            server.crash()
            let deadline = ContinuousClock.now + .seconds(5)
            while decoders.contains(where: { Processes.isAlive($0) }), ContinuousClock.now < deadline { pause(0.001) }
            result.expect(!decoders.contains { Processes.isAlive($0) }, "a decoder outlived its server")
            try server.start()
            submitters.follow(server)
        }
        crew.stop()
        let accounts = Accounts(clip: clip, accepted: submitters.accepted, allowedCodes: ["worker_lost"])
        result.losses += try accounts.losses(server)
        let others = submitters.otherAnswers
        result.expect(others.isEmpty, "submissions were answered with \(Set(others).sorted())")
        let integrity = try Database.integrity(server.data.path("lktrack.sqlite"))
        result.expect(integrity == "ok", "integrity_check: \(integrity)")
        result.tried = "\(rounds) kill -9, \(accounts.accepted.count) jobs accepted meanwhile"
        return result
    }
}

/// The same with workers of their own.
struct KillWorkerProof: Proof {
    let name = "kill worker"
    let claim = "kill -9 of a worker's process at random moments: its jobs go on, and each ends once"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let rounds = options.rounds(100, quick: 10)
        let clip = try Clip.make(frames: 30)
        let server = try Server(environment: ["LKTRACK_ROLES": "api"])
        let worker = try WorkerProcess(data: server.data.url.path)
        let submitters = Submitters(server)
        let crew = submitters.crew(1, clip, pause: 0.2)
        for _ in 0..<rounds {
            pause(.random(in: 0.1...0.8))
            worker.crash()
            try worker.start()
        }
        crew.stop()
        let accounts = Accounts(clip: clip, accepted: submitters.accepted, allowedCodes: ["worker_lost"])
        return ProofResult(
            tried: "\(rounds) kill -9 of a worker, \(accounts.accepted.count) jobs accepted meanwhile",
            losses: try accounts.losses(server))
    }
}

/// A decoder's end is its job's affair alone.
struct DecodersProof: Proof {
    let name = "kill decoders"
    let claim =
        "decoders killed by SIGSEGV at random frames: no API error, and the job fails with decoder_crashed after its retry"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let kills = options.rounds(100, quick: 20)
        let clip = try Clip.make(frames: 3000)
        let server = try Server("--workers", "1")
        let watch = Watch(server)
        var result = ProofResult(tried: "")
        var killed: Set<Int32> = []
        var ended: [String: Int] = [:]
        while killed.count < kills {
            guard let id = try server.wire.submit(clip) else { throw ProofError("a job is not accepted") }
            var job: [String: Any] = [:]
            let before = killed.count
            repeat {
                for decoder in server.children() where !killed.contains(decoder) {
                    pause(.random(in: 0.05...0.2))
                    if kill(decoder, SIGSEGV) == 0 { killed.insert(decoder) }
                }
                job = try server.wire.get("/v1/jobs/\(id)").json
            } while ["queued", "running"].contains(job["status"] as? String ?? "")
            let code = (job["error"] as? [String: Any])?["code"] as? String ?? job["status"] as? String ?? "?"
            ended[code, default: 0] += 1
            let isRight = code == "decoder_crashed" || (code == "succeeded" && killed.count - before < 2)
            result.expect(isRight, "a job whose decoder was killed \(killed.count - before) times: \(code)")
        }
        result.losses += watch.stop()
        result.expect(server.processIsRunning, "the server is gone")
        result.tried = "\(killed.count) decoders killed, while \(watch.requests) GETs were answered"
        result.figure = ended.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return result
    }
}

/// A job that kills its worker is not run for ever.
struct PoisonProof: Proof {
    let name = "poison"
    let claim = "a job that kills its worker's process runs exactly 3 times"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let rounds = options.rounds(10, quick: 2)
        let clip = try Clip.make(frames: 3000)
        let server = try Server(environment: ["LKTRACK_ROLES": "api"])
        var result = ProofResult(tried: "\(rounds) jobs whose worker is killed whenever they run")
        var runs: [Int] = []
        for _ in 0..<rounds {
            guard let id = try server.wire.submit(clip) else { throw ProofError("a job is not accepted") }
            let worker = try WorkerProcess(data: server.data.url.path)
            var count = 0
            var job: [String: Any] = [:]
            let deadline = ContinuousClock.now + .seconds(120)
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
        result.figure = "runs: \(runs.map(String.init).joined(separator: " "))"
        return result
    }
}

extension Processes {
    /// One that nobody has waited for is dead all the same.
    static func isAlive(_ process: Int32) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let name = status.lastIndex(of: ")")
        else { return false }
        return !["Z", "X"].contains(status[name...].split(separator: " ").dropFirst().first ?? "X")
    }
}
