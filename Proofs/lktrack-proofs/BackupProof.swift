import Foundation
import ServiceHarness

/// What is restored is what was there.
struct BackupProof: Proof {
    let name = "backup"
    let claim = "a backup that is made under load, restored: a whole database, and the bytes of every job in it"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let rounds = options.rounds(10, quick: 2)
        let clip = try Clip.make(frames: 10)
        let server = try Server("--workers", "2")
        let submitters = Submitters(server)
        let crew = submitters.crew(3, clip, pause: 0.1)
        let wire = server.wire
        // Somebody deletes, too.
        let deleters = Crew(1) { _, _ in
            if let id = submitters.accepted.randomElement(), id.utf8.last.map({ $0 % 8 == 0 }) == true {
                _ = try? wire.request("DELETE", "/v1/jobs/\(id)")
            }
            pause(0.1)
        }
        let folder = try TemporaryFolder()
        var result = ProofResult(tried: "")
        var before: [[String]] = []
        for round in 0..<rounds {
            pause(1)
            before.append(submitters.accepted)
            let made = try Executable.lktrack(
                "backup", "--data-dir", server.data.url.path, folder.path("\(round)"), in: folder.url)
            result.expect(made.status == 0, "backup \(round): \(made.standardError)")
        }
        crew.stop()
        deleters.stop()
        _ = try Accounts(clip: clip, accepted: submitters.accepted).losses(server)
        var jobs = 0
        for round in 0..<rounds {
            jobs += try check(folder.path("\(round)"), before[round], clip, server, &result)
        }
        result.tried = "\(rounds) backups under load, restored, with \(jobs) jobs compared"
        return result
    }

    private func check(
        _ backup: String, _ accepted: [String], _ clip: Clip, _ server: Server, _ result: inout ProofResult
    ) throws -> Int {
        let data = try TemporaryFolder()
        let restored = try Executable.lktrack("restore", backup, "--data-dir", data.url.path, in: data.url)
        result.expect(restored.status == 0, "restore: \(restored.standardError)")
        let integrity = try Database.integrity(data.path("lktrack.sqlite"))
        result.expect(integrity == "ok", "integrity_check: \(integrity)")
        let other = try Server("--workers", "2", data: data)
        var compared = 0
        for id in accepted {
            // Deleted since, or before the backup: there is nothing to compare.
            let original = try server.wire.get("/v1/jobs/\(id)")
            guard original.status == 200 else { continue }
            result.losses += try Accounts(clip: clip, accepted: [id]).losses(other)
            for path in ["source", "results?format=ndjson"] {
                let there = try server.wire.get("/v1/jobs/\(id)/\(path)").body
                let here = try other.wire.get("/v1/jobs/\(id)/\(path)").body
                result.expect(here == there, "job \(id): another \(path)")
            }
            compared += 1
        }
        return compared
    }
}
