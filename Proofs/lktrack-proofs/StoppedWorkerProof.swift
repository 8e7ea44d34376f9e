import Foundation
import ServiceHarness

/// A worker that was away for longer than its lease writes nothing.
struct StoppedWorkerProof: Proof {
    let name = "zombie worker"
    let claim = "SIGSTOP past the lease, then SIGCONT: the job is another's by then, and no stale write comes"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let rounds = options.rounds(20, quick: 3)
        let clip = try Clip.make(frames: 2000)
        // With so much to do that no worker is done before it is stopped.
        let targets = "&tracker=template" + String(repeating: "&roi=\(clip.box)", count: 3)
        let environment = ["LKTRACK_LEASE_SECONDS": "2"]
        let server = try Server(environment: environment.merging(["LKTRACK_ROLES": "api"]) { $1 })
        var result = ProofResult(tried: "\(rounds) workers stopped for longer than their lease of 2 s")
        for round in 0..<rounds {
            guard let id = try server.wire.submit(clip, query: targets) else {
                throw ProofError("a job is not accepted")
            }
            let away = try WorkerProcess(data: server.data.url.path, environment: environment)
            try wait(for: "the first frames") { try server.framesDone(id) > 0 }
            away.signal(SIGSTOP)
            let other = try WorkerProcess(data: server.data.url.path, environment: environment)
            try wait(for: "the other worker to finish it") { try server.status(id) == "succeeded" }
            let path = "/v1/jobs/\(id)"
            let job = try server.wire.get(path).body
            let bytes = try server.wire.get(path + "/results?format=ndjson").body
            let attempt = try server.job(id)["attempt"] as? Int
            // The other's, or where it was too slow for its own lease, once more.
            result.expect(attempt.map { (2...3).contains($0) } ?? false, "round \(round): attempt \(attempt ?? 0)")
            away.signal(SIGCONT)
            // It comes to itself, finds its lease gone, and lets its decoder go.
            try wait(for: "the stopped worker to let go") { Processes.decoders(of: away.identifier).isEmpty }
            pause(1.5)
            result.expect(try server.wire.get(path).body == job, "round \(round): the job has changed")
            result.expect(
                try server.wire.get(path + "/results?format=ndjson").body == bytes,
                "round \(round): the result has changed")
            let results = server.blobs().filter { $0.contains(id) && $0.contains("result") }
            result.expect(results.count == 1, "round \(round): \(results) are there")
            withExtendedLifetime(other) {}
        }
        return result
    }
}
