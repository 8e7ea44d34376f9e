import Foundation
import ServiceHarness

/// What has become of everything that a cluster accepted, and what is left of it.
struct ClusterBooks {
    let cluster: Cluster
    let audit: ClusterAudit
    let works: [Work]
    /// A job that is not among those that are looked at.
    let witness: String
    /// How often a worker was met by what was done to the cluster, at most.
    let interruptions: Int

    func close(_ submitted: [ClusterClients.Submitted], _ result: inout ProofResult) throws {
        result.expect(
            Set(submitted.map(\.id)).count == submitted.count, "two submissions were answered with the same job")
        let jobs = try audit.jobs()
        result.expect(jobs == submitted.count + 1, "\(jobs - 1) jobs are there of \(submitted.count) accepted")
        var exhausted = 0
        for (number, job) in submitted.enumerated() {
            let wire = cluster.nodes[number % cluster.nodes.count].wire
            switch try end(job, wire) {
            case .asExpected: break
            case .exhausted: exhausted += 1
            case .otherwise(let loss): result.losses.append("job \(job.id): \(loss)")
            }
        }
        result.losses += try audit.endedOtherwise()
        let stale = try audit.staleWrites()
        result.expect(stale.afterTheEnd == 0, "\(stale.afterTheEnd) writes to jobs that had ended")
        result.expect(stale.afterTheLease == 0, "\(stale.afterTheLease) jobs were published after the lease")
        // Who was interrupted three times fails with `worker_lost`; nobody may be who was not.
        let lost = try audit.lostByWorkers()
        result.expect(
            lost <= interruptions, "workers lost \(lost) jobs, and were interrupted \(interruptions) times at most")
        let attempts = try audit.attempts().map { "\($0.jobs) in \($0.attempt)" }.joined(separator: ", ")
        result.figure =
            "attempts: \(attempts); workers lost jobs \(lost) times, three times the same \(exhausted) times; "
            + "\(lines("job given up before its lease ends")) given up by nodes that were cut off; "
            + "\(stale.afterTheEnd + stale.afterTheLease) stale writes, "
            + "\(lines("lease lost, nothing published")) workers that found their leases lost"
        try clear(submitted.map(\.id), &result)
    }

    private enum End {
        case asExpected
        /// Three times it was with a worker that was interrupted.
        case exhausted
        case otherwise(String)
    }

    private func end(_ job: ClusterClients.Submitted, _ wire: WireServer) throws -> End {
        let path = "/v1/jobs/\(job.id)"
        let answer = try wire.get(path)
        guard answer.status == 200 else { return .otherwise("answered with \(answer.status)") }
        let events = try wire.get(path + "/events").body
        let ends = events.split(separator: "\n").count { $0 == "event: end" }
        guard ends == 1 else { return .otherwise("\(ends) events of its end") }
        guard answer.json["status"] as? String == "succeeded" else {
            let code = (answer.json["error"] as? [String: Any])?["code"] as? String
            if code == "worker_lost", answer.json["attempt"] as? Int == 3 { return .exhausted }
            return .otherwise("ended as \(answer.json["status"] ?? "?"): \(answer.json["error"] ?? "")")
        }
        let result = try wire.get(Work.result(of: job.id))
        return result.status == 200 && result.bytes == works[job.work].expected
            ? .asExpected : .otherwise("another result than that of one node alone")
    }

    private func lines(_ text: String) -> Int { cluster.nodes.reduce(0) { $0 + $1.lines(containing: text) } }

    /// Deletes all jobs, stops the nodes, and looks at what is left.
    private func clear(_ jobs: [String], _ result: inout ProofResult) throws {
        for (number, id) in (jobs + [witness]).enumerated() {
            let status = try cluster.nodes[number % cluster.nodes.count].wire.request("DELETE", "/v1/jobs/\(id)").status
            result.expect(status == 204, "job \(id): deletion answered with \(status)")
        }
        let known = Set(jobs + [witness])
        let left = try cluster.bucket.contents().objects.filter { !$0.hasSuffix("/.installation") }
        let ofJobs = left.filter { object in known.contains { object.contains($0) } }
        result.expect(ofJobs.isEmpty, "\(ofJobs.count) objects of deleted jobs are left: \(ofJobs.prefix(3))")
        for node in cluster.nodes {
            let deadline = ContinuousClock.now + .seconds(10)
            while !node.server.isIdle, ContinuousClock.now < deadline { pause(0.05) }
            let children = node.server.children()
            let status = node.server.stop()
            result.expect(status == 0, "\(node.host.name) ends with \(status)")
            result.expect(!children.contains { Processes.isAlive($0) }, "\(node.host.name) leaves a decoder behind")
            let files = Leftovers.drafts(in: node.server.data)
            result.expect(files.isEmpty, "\(node.host.name) leaves behind \(files.prefix(3))")
        }
        // Uploads that a killed node had put there before it could keep their jobs: see OrphanSweeper.
        result.figure += "; objects left to the sweeper by killed nodes: \(left.count - ofJobs.count)"
    }
}
