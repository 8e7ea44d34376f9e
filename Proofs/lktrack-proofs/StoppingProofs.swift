import Foundation
import ServiceHarness

/// SIGTERM loses nothing.
struct StoppingProof: Proof {
    let name = "stopping"
    let claim = "SIGTERMs under load: no abort, no orphan, no lost job, and an end in the time that it may take"

    private static let shutdownSeconds = 0.5
    /// What letting go may take after that; see docs/operations.md.
    private static let graceSeconds = 10.0

    func run(_ options: ProofOptions) throws -> ProofResult {
        let rounds = options.rounds(100, quick: 10)
        let server = try Server(
            "--workers", "2", environment: ["LKTRACK_SERVER_SHUTDOWN_SECONDS": "\(Self.shutdownSeconds)"])
        let work = try Work(Clip.make(frames: 30), query: "&tracker=template", undisturbedOn: server)
        let ends = try EndBooks(server)
        let submitters = Submitters(server)
        let crew = submitters.crew(2, work, pause: 0.15)
        var result = ProofResult(tried: "")
        var slowest = 0.0
        let share = MachineShare()
        for round in 0..<rounds {
            if round % 2 == 0 { try submitters.awaitAnother() }
            pause(.random(in: 0.05...0.5))
            let waiting = try? WireClient(port: server.port)
            waiting?.send("GET /v1/jobs/\(submitters.accepted.last ?? "x")/events HTTP/1.1\r\nHost: a\r\n\r\n")
            // Somebody who is half-way, and for whom the server waits as long as for what else is under way.
            let sending = round % options.rounds(1, quick: 5) == 0 ? try? WireClient(port: server.port) : nil
            sending?.send("POST /v1/jobs?roi=1,1,9,9 HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nRIFF")
            var status: Int32 = 0
            slowest = max(slowest, seconds { status = server.stop() })
            result.expect(status == 0, "round \(round): it ended with \(status)")
            result.expect(Leftovers.orphans(in: server.data).isEmpty, "round \(round): a process is left")
            try server.start()
            submitters.follow(server)
            withExtendedLifetime((waiting, sending)) {}
        }
        crew.stop()
        share.end()
        let accounts = Accounts(work: work, accepted: submitters.accepted)
        result.losses += try accounts.balance(server).losses
        result.losses += try ends.losses(accounts.accepted)
        result.losses += try Leftovers.losses(server)
        result.tried = "\(rounds) SIGTERMs, \(accounts.accepted.count) jobs accepted meanwhile"
        result.figure = "the slowest stop took \(slowest.text(1)) s\(share.text)"
        result.expect(
            slowest < share.allowed(Self.shutdownSeconds + Self.graceSeconds),
            "a stop took \(slowest.text(1)) s\(share.text)")
        return result
    }
}

/// Who asks twice does not want to wait.
struct SecondSignalProof: Proof {
    let name = "second SIGTERM"
    let claim = "a second SIGTERM stops at once, and what ran is finished by the next start"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let rounds = options.rounds(10, quick: 3)
        let clip = try Clip.make(frames: 800)
        // With so much to do that the second signal finds the job at work.
        let targets = "&tracker=template" + String(repeating: "&roi=\(clip.box)", count: 7)
        let server = try Server("--workers", "1", environment: ["LKTRACK_SERVER_SHUTDOWN_SECONDS": "600"])
        let work = try Work(clip, query: targets, undisturbedOn: server)
        var result = ProofResult(tried: "")
        var second = 0
        var slowest = 0.0
        var ids: [String] = []
        let share = MachineShare()
        for round in 0..<rounds {
            guard let id = try server.wire.submit(clip, query: targets) else {
                throw ProofError("a job is not accepted")
            }
            ids.append(id)
            try wait(for: "the job to start") {
                if server.log.says("job started", of: id) { return true }
                let status = try server.wire.get("/v1/jobs/\(id)").json["status"] as? String ?? ""
                guard ["queued", "running"].contains(status) else { throw ProofError("the job is \(status) already") }
                return false
            }
            kill(server.processIdentifier, SIGTERM)
            pause(0.1)
            if server.processIsRunning {
                second += 1
                slowest = max(slowest, seconds { server.stop() })
            }
            result.expect(Leftovers.orphans(in: server.data).isEmpty, "round \(round): a process is left")
            try server.start()
        }
        share.end()
        // A stop gives the attempt back.
        result.losses += try Accounts(work: work, accepted: ids).balance(server).losses
        result.losses += try Leftovers.losses(server)
        result.tried = "\(rounds) times SIGTERM in the middle of a job, \(second) times a second one"
        result.expect(2 * second >= rounds, "only \(second) of \(rounds) jobs were at work at the second SIGTERM")
        result.expect(slowest < share.allowed(2), "it took \(slowest.text(2)) s\(share.text)")
        result.figure = "the slowest took \((slowest * 1000).text()) ms\(share.text)"
        return result
    }
}
