import Foundation
import Jobs
import SQLiteJobStore
import ServiceHarness

/// No job is two workers'.
struct ClaimingProof: Proof {
    let name = "claiming"
    let claim = "8 processes claim 10,000 jobs each: each job is claimed once"

    /// The argument by which this program becomes one of the processes.
    static let claimer = "claim-jobs"
    private static let processes = 8

    func run(_ options: ProofOptions) throws -> ProofResult {
        let count = Self.processes * options.rounds(10_000, quick: 250)
        let folder = try TemporaryFolder()
        let path = folder.path("jobs.sqlite")
        let ids = try Self.submit(count, to: path)
        let lists = (0..<Self.processes).map { folder.path("claimed-\($0)") }
        let took = try seconds {
            let children = try lists.map { list in
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
                process.arguments = [Self.claimer, path, list]
                try process.run()
                return process
            }
            for child in children {
                child.waitUntilExit()
                guard child.terminationStatus == 0 else { throw ProofError("a claiming process failed") }
            }
        }
        let claimed = try lists.map { try String(contentsOfFile: $0, encoding: .utf8).split(separator: "\n") }
        let all = claimed.flatMap { $0.map(String.init) }
        var result = ProofResult(tried: "\(Self.processes) processes claimed \(all.count) jobs")
        result.expect(Set(all).count == all.count, "\(all.count - Set(all).count) were claimed twice")
        result.expect(Set(all) == Set(ids), "\(Set(ids).subtracting(all).count) were not claimed")
        result.losses += try Database.damage(path)
        result.figure =
            "\((Double(all.count) / took).text()) a second; "
            + "each process \(claimed.map(\.count).min() ?? 0) to \(claimed.map(\.count).max() ?? 0)"
        return result
    }

    private static func submit(_ count: Int, to path: String) throws -> [String] {
        let store = try SQLiteJobStore(path: path)
        defer { try? store.close() }
        let ids = JobIDGenerator(environment: SystemEnvironment())
        let submitted = Tally<String>()
        let failures = Tally<String>()
        // Together they share the disk's syncs.
        DispatchQueue.concurrentPerform(iterations: 16) { thread in
            for _ in 0..<(count / 16 + (thread < count % 16 ? 1 : 0)) {
                let id = ids.next()
                let target = TargetSpec(id: "car", box: PixelBox(x: 1, y: 1, width: 20, height: 20))
                let source = JobSource(kind: .video, blobKey: id.sourceKey, bytes: 1, sha256: "ab")
                let job = Job(
                    id: id, tenant: .anonymous, spec: JobSpec(targets: [target]), source: source, createdAt: Date())
                do {
                    try store.submit(job)
                    submitted.add(id.description)
                } catch {
                    failures.add("\(error)")
                }
            }
        }
        guard failures.count == 0 else { throw ProofError("jobs were not stored: \(failures.all[0])") }
        return submitted.all
    }

    /// One of the processes: claims until there is nothing left, and writes down what it got.
    static func claim(_ arguments: [String]) throws -> Never {
        let store = try SQLiteJobStore(path: arguments[0])
        var ids: [String] = []
        while let claimed = try store.claim(owner: "process-\(getpid())", leaseSeconds: 3600) {
            ids.append(claimed.job.id.description)
        }
        try ids.joined(separator: "\n").write(toFile: arguments[1], atomically: true, encoding: .utf8)
        exit(0)
    }
}
