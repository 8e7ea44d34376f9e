import Foundation
import ServiceHarness

/// What is restored is what was there.
struct BackupProof: Proof {
    let name = "backup"
    let claim = "a backup that is made under load, restored: a whole database, and the bytes of every job in it"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let rounds = options.rounds(10, quick: 2)
        let server = try Server("--workers", "2")
        let work = try Work(Clip.make(frames: 10), query: "&tracker=template", undisturbedOn: server)
        let submitters = Submitters(server)
        let crew = submitters.crew(3, work, pause: 0.1)
        let wire = server.wire
        // Somebody deletes, too.
        let deleted = Tally<String>()
        let deleters = Crew(1) { _, _ in
            if let id = submitters.accepted.randomElement(), id.utf8.last.map({ $0 % 8 == 0 }) == true {
                deleted.add(id)
                _ = try? wire.request("DELETE", "/v1/jobs/\(id)")
            }
            pause(0.1)
        }
        let folder = try TemporaryFolder()
        var result = ProofResult(tried: "")
        var before: [[String]] = []
        for round in 0..<rounds {
            try submitters.awaitAnother()
            pause(1)
            before.append(submitters.accepted)
            let made = try Executable.lktrack(
                "backup", "--data-dir", server.data.url.path, folder.path("\(round)"), in: folder.url)
            result.expect(made.status == 0, "backup \(round): \(made.standardError)")
        }
        crew.stop()
        deleters.stop()
        let gone = Set(deleted.all)
        let kept = submitters.accepted.filter { !gone.contains($0) }
        result.losses += try Accounts(work: work, accepted: kept).balance(server).losses
        var jobs = 0
        for round in 0..<rounds {
            let accepted = before[round].filter { !gone.contains($0) }
            result.expect(!accepted.isEmpty, "backup \(round): no job to compare")
            try check(folder.path("\(round)"), accepted, work, server, &result)
            jobs += accepted.count
        }
        result.tried = "\(rounds) backups under load, restored, with \(jobs) jobs compared"
        return result
    }

    /// - Parameter accepted: those that are in the backup, and still there.
    private func check(
        _ backup: String, _ accepted: [String], _ work: Work, _ server: Server, _ result: inout ProofResult
    ) throws {
        let data = try TemporaryFolder()
        let restored = try Executable.lktrack("restore", backup, "--data-dir", data.url.path, in: data.url)
        result.expect(restored.status == 0, "restore: \(restored.standardError)")
        result.losses += try Database.damage(data.path("lktrack.sqlite"))
        let other = try Server("--workers", "2", data: data)
        // Those that were at work when it was made are begun again.
        let accounts = Accounts(work: work, accepted: accepted, interruptions: 2)
        result.losses += try accounts.balance(other).losses
        for id in accepted {
            for path in ["/v1/jobs/\(id)/source", Work.result(of: id)] {
                let there = try server.wire.get(path)
                let here = try other.wire.get(path)
                result.expect(
                    here.status == 200 && there.status == 200,
                    "\(path): answered with \(there.status), once restored with \(here.status)")
                result.expect(here.bytes == there.bytes, "\(path): other bytes once restored")
            }
        }
    }
}
