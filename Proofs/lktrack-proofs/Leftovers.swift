import Foundation
import ServiceHarness

/// What must not be left of a server.
enum Leftovers {
    /// Stops it, too. Nobody may be sending to it.
    static func losses(_ server: Server) throws -> [String] {
        var losses: [String] = []
        for job in Set(server.blobs().map { String($0.split(separator: "/").prefix(2).joined(separator: "/")) }) {
            let status = try server.wire.get("/v1/\(job)").status
            if status != 200 { losses.append("blobs of \(job), which is answered with \(status)") }
        }
        return try losses + lossesOnceStopped(server)
    }

    /// The same of a server with workers in processes of their own, which were killed: one more puts in order what they
    /// left.
    static func losses(ofKilledWorkersOf server: Server) throws -> [String] {
        let last = try WorkerProcess(data: server.data.url.path)
        guard last.log.line(containing: "\"listening\"", seconds: 120) != nil else {
            throw ProofError("the last worker does not start")
        }
        let status = try last.stop()
        let own = status == 0 ? [] : ["the last worker ends with \(status)"]
        return try own + losses(server)
    }

    /// Stops it, and does without a look at blobs that have no job: an upload has its blob before its job, and where
    /// the server was killed between the two, a start removes it ten minutes later.
    static func lossesOnceStopped(_ server: Server) throws -> [String] {
        var losses: [String] = []
        let status = server.stop()
        if status != 0 { losses.append("it ends with \(status)") }
        losses += drafts(in: server.data).map { "left behind: \($0)" }
        losses += orphans(in: server.data).map { "process \($0) is left behind" }
        losses += try Database.damage(server.data.path("lktrack.sqlite"))
        losses += try strays(of: server)
        return losses
    }

    /// Files of jobs that have ended, other than those that their rows name: what attempts made whose workers died. And
    /// what is named and not there. A job that no worker ended (`worker_lost`) keeps what its workers had finished
    /// until it is deleted: docs/state_machine.md.
    private static func strays(of server: Server) throws -> [String] {
        let rows = try Database.ask(
            server.data.path("lktrack.sqlite"),
            """
            SELECT id || ' ' || coalesce(result_key, '') || ' ' || coalesce(video_key, '') FROM jobs
            WHERE finished_at IS NOT NULL AND coalesce(json_extract(failure, '$.code'), '') <> 'worker_lost'
            """)
        // jobs/ID/NAME
        let files = Dictionary(grouping: server.blobs()) { String($0.split(separator: "/").dropFirst().first ?? "") }
        return rows.flatMap { row -> [String] in
            let words = row.split(separator: " ").map(String.init)
            let named = Set(["jobs/\(words[0])/source"] + words.dropFirst())
            let there = Set(files[words[0]] ?? [])
            return there.subtracting(named).sorted().map { "left of an attempt that died: \($0)" }
                + named.subtracting(there).sorted().map { "named, and not there: \($0)" }
        }
    }

    /// Files of what was under way in a data folder.
    static func drafts(in data: TemporaryFolder) -> [String] {
        let names = FileManager.default.enumerator(atPath: data.url.path)?.allObjects as? [String] ?? []
        return names.filter { $0.contains("owners/") || $0.contains(".tmp") || $0.contains("/.") || $0.hasPrefix(".") }
    }

    /// Processes of a server that is gone, and had a data folder to itself. They die with it, each in its own time.
    static func orphans(in data: TemporaryFolder) -> [Int32] {
        let deadline = ContinuousClock.now + .seconds(5)
        while !processes(in: data).isEmpty, ContinuousClock.now < deadline { pause(0.001) }
        return processes(in: data)
    }

    /// Those that work in it: decoders have that from their server, also once it is gone.
    private static func processes(in data: TemporaryFolder) -> [Int32] {
        guard let folder = realpath(data.url.path, nil) else { return [] }
        defer { free(folder) }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter {
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/cwd")
            return place == String(cString: folder) && Processes.isAlive($0)
        }
    }
}
