import Foundation
import ServiceHarness

/// The books of what a server accepted, and whether it kept it.
struct Accounts {
    let work: Work
    /// Told by 202.
    let accepted: [String]
    /// How often the proof took a job from a worker, at most.
    var interruptions = 0
    /// Other failures that the proof brings about itself.
    var allowedCodes: Set<String> = []

    struct Balance {
        /// What is wrong with the jobs.
        fileprivate(set) var losses: [String] = []
        /// How often a job was begun in vain.
        fileprivate(set) var lostAttempts = 0
        /// Jobs that were begun in vain three times.
        fileprivate(set) var exhausted = 0

        var text: String { "workers lost jobs \(lostAttempts) times, three times the same \(exhausted) times" }
    }

    /// Waits for all of them to end and looks at each.
    func balance(_ server: Server, seconds: Double = 600) throws -> Balance {
        let wire = server.wire
        let deadline = ContinuousClock.now + .seconds(seconds)
        var balance = Balance()
        if Set(accepted).count < accepted.count { balance.losses.append("the same job was accepted twice") }
        for id in accepted {
            var answer = try wire.get("/v1/jobs/\(id)")
            while ["queued", "running"].contains(answer.json["status"] as? String ?? "") {
                guard ContinuousClock.now < deadline else {
                    balance.losses.append("job \(id) has not ended after \(seconds.text()) s")
                    return balance
                }
                pause(0.02)
                answer = try wire.get("/v1/jobs/\(id)")
            }
            if let loss = try loss(answer, id, wire, &balance) { balance.losses.append("job \(id): \(loss)") }
        }
        if balance.lostAttempts > interruptions {
            balance.losses.append(
                "workers lost \(balance.lostAttempts) jobs, and were interrupted \(interruptions) times at most")
        }
        return balance
    }

    private func loss(
        _ answer: WireAnswer, _ id: String, _ wire: WireServer, _ balance: inout Balance
    ) throws -> String? {
        guard answer.status == 200 else { return "answered with \(answer.status)" }
        guard let attempt = answer.json["attempt"] as? Int, attempt > 0 else { return "has ended without an attempt" }
        if answer.json["status"] as? String != "succeeded" {
            let code = (answer.json["error"] as? [String: Any])?["code"] as? String ?? ""
            let isExhausted = code == "worker_lost" && attempt == 3
            balance.lostAttempts += isExhausted ? attempt : attempt - 1
            if isExhausted { balance.exhausted += 1 }
            return isExhausted || allowedCodes.contains(code)
                ? nil : "ended as \(answer.json["status"] ?? "?") \(code) in attempt \(attempt)"
        }
        balance.lostAttempts += attempt - 1
        let result = try wire.get(Work.result(of: id))
        guard result.status == 200 else { return "its result is answered with \(result.status)" }
        return result.bytes == work.expected ? nil : "another result than where nothing disturbs"
    }
}
