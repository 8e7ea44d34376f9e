import Foundation
import ServiceHarness

/// A disk that fills up harms nothing that was accepted.
struct DiskFullProof: Proof {
    let name = "full disk"
    let claim =
        "a file system that fills up: 507, a reserve that stays, recovery within 5 s of space, and a database that is whole"

    /// What a reserve is for, and may be missing of it: the log of the database, which grows to 4 MiB, and results of
    /// jobs that were accepted. Of 8 MiB it is the three quarters that those may use before they end with
    /// `storage_full`; of 32 MiB it is less than they may, because nothing that runs there has so much to write.
    static let usedOfReserve: Int64 = 6 << 20
    private static let clients = 30

    func run(_ options: ProofOptions) throws -> ProofResult {
        var result = ProofResult(tried: "")
        let taken = try fillAtOnce(&result)
        try fillByArchives(&result)
        let disk = try SmallDisk(megabytes: 64)
        defer { disk.unmount() }
        let accepted = try fillByUploads(disk, &result)
        try fillByOthers(disk, &result)
        result.losses += try Database.damage(disk.folder.path("lktrack.sqlite"))
        result.tried =
            "a tmpfs of 96 MB, filled by \(Self.clients) uploads of unknown length at once (\(taken) taken); one of 72 MB, "
            + "filled by \(Self.archives) archives that unpack to more than there is, while a job runs; one of 64 MB, filled by \(accepted) uploads, then to the last byte by another while a job runs"
        return result
    }

    /// Many uploads at once that do not tell their length, each smaller than what is free: not all of them together.
    private func fillAtOnce(_ result: inout ProofResult) throws -> Int {
        let disk = try SmallDisk(megabytes: 96)
        defer { disk.unmount() }
        let reserve: Int64 = 32 << 20
        let server = try Server(
            "--workers", "1", environment: ["LKTRACK_LIMITS_DISK_RESERVE_BYTES": "\(reserve)"], data: disk.folder)
        let work = try Work(Clip.make(frames: 500).padded(to: 6 << 20), undisturbedOn: server)
        guard let running = try server.wire.submit(work.clip) else { throw ProofError("a job is not accepted") }
        try wait(for: "the first frame") { try server.framesDone(running) > 0 }
        let free = LeastFree(disk)
        let answers = try uploadAtOnce(work, to: server)
        let ids = answers.filter { $0.status == 202 }.compactMap { $0.json["id"] as? String }
        let others = answers.map(\.status).filter { ![202, 507].contains($0) }
        result.expect(others.isEmpty, "uploads at once: \(others)")
        result.expect(!ids.isEmpty && ids.count < Self.clients, "of uploads at once \(ids.count) were taken")
        // Nothing is allowed for: there is a reserve so that no job fails.
        result.losses += try Accounts(work: work, accepted: [running] + ids).balance(server).losses
        let least = free.stop()
        result.expect(
            least >= reserve - Self.usedOfReserve, "of a reserve of 32 MiB \(Double(least) / 1048576) MiB were left")
        result.figure = "of 32 MiB \((Double(least) / 1048576).text(1)) were left; "
        result.losses += try Leftovers.losses(server)
        return ids.count
    }

    private func uploadAtOnce(_ work: Work, to server: Server) throws -> [WireAnswer] {
        let head =
            "POST \(work.path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            + "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        let clients = try (0..<Self.clients).map { _ in try WireClient(port: server.port) }
        for client in clients { client.send(head) }
        let size = 256 << 10
        for start in stride(from: 0, to: work.clip.bytes.count, by: size) {
            let piece = work.clip.bytes[start...].prefix(size)
            let chunk = Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
            for client in clients { client.send(chunk) }
        }
        for client in clients { client.send("0\r\n\r\n") }
        return clients.map { WireAnswer($0.readToEnd()) }
    }

    /// The reserve is kept: uploads are refused before anything else suffers.
    private func fillByUploads(_ disk: SmallDisk, _ result: inout ProofResult) throws -> Int {
        let reserve: Int64 = 8 << 20
        let server = try Server(
            "--workers", "1", environment: ["LKTRACK_LIMITS_DISK_RESERVE_BYTES": "\(reserve)"], data: disk.folder)
        let work = try Work(Clip.make(frames: 60, size: "640x480"), undisturbedOn: server)
        let clip = work.clip
        var ids: [String] = []
        var refusal = 0
        let free = LeastFree(disk)
        while ids.count < 2000 {
            guard let id = try server.wire.submit(clip) else {
                refusal =
                    try server.wire.request(
                        "POST", "/v1/jobs?roi=\(clip.box)", fields: ["Content-Type: application/octet-stream"],
                        body: clip.bytes
                    ).status
                break
            }
            ids.append(id)
        }
        let least = free.stop()
        result.expect(refusal == 507, "uploads on a full disk: \(refusal)")
        result.expect(
            least >= reserve - Self.usedOfReserve, "of a reserve of 8 MiB \(Double(least) / 1048576) MiB were left")
        result.losses += try Accounts(work: work, accepted: ids, allowedCodes: ["storage_full"]).balance(server).losses
        let share = MachineShare()
        let took = try recovery(server, clip) {
            for id in ids.prefix(max(1, ids.count / 2)) { _ = try server.wire.request("DELETE", "/v1/jobs/\(id)") }
        }
        share.end()
        result.expect(
            took <= share.allowed(5), "uploads were taken \(took.text(1)) s after there was space\(share.text)")
        let left = Double(least) / 1048576
        result.figure += "507, \(left.text(1)) left of 8 MiB, recovered in \(took.text(2)) s\(share.text)"
        for id in ids { _ = try server.wire.request("DELETE", "/v1/jobs/\(id)") }
        result.expect(server.stop() == 0, "it does not stop")
        return ids.count
    }

    /// No reserve, and somebody else fills the disk while a job is running.
    private func fillByOthers(_ disk: SmallDisk, _ result: inout ProofResult) throws {
        let server = try Server(
            "--workers", "1", environment: ["LKTRACK_LIMITS_DISK_RESERVE_BYTES": "0"], data: disk.folder)
        let work = try Work(Clip.make(frames: 3000), undisturbedOn: server)
        let clip = work.clip
        guard let id = try server.wire.submit(clip) else { throw ProofError("a job is not accepted") }
        try wait(for: "the first frame") { try server.framesDone(id) > 0 }
        try disk.fill()
        pause(2)
        result.expect(try server.wire.get("/healthz").status == 200, "it is not alive on a full disk")
        let refused = try server.wire.request(
            "POST", "/v1/jobs?roi=\(clip.box)", fields: ["Content-Type: application/octet-stream"], body: clip.bytes)
        result.expect(refused.status == 507, "an upload on a full disk: \(refused.status)")
        let share = MachineShare()
        let took = try recovery(server, clip) { disk.empty() }
        share.end()
        result.expect(
            took <= share.allowed(5), "uploads were taken \(took.text(1)) s after there was space again\(share.text)")
        let accounts = Accounts(work: work, accepted: [id], allowedCodes: ["storage_full"])
        result.losses += try accounts.balance(server, seconds: 60).losses
        result.figure += ", and in \(took.text(2)) s\(share.text); "
        result.figure += "the running job ended as \(try server.status(id) ?? "?")"
        result.expect(server.stop() == 0, "it does not stop")
    }

    /// Seconds from `makeRoom` to the next job that is accepted.
    private func recovery(_ server: Server, _ clip: Clip, _ makeRoom: () throws -> Void) throws -> Double {
        try makeRoom()
        let start = ContinuousClock.now
        let deadline = start + .seconds(60)
        while try server.wire.submit(clip) == nil, ContinuousClock.now < deadline { pause(0.02) }
        return (ContinuousClock.now - start) / .seconds(1)
    }
}
