import Foundation
import ServiceHarness
import Synchronization

/// Half an hour of everything at once.
struct LoadProof: Proof {
    let name = "load"
    let claim =
        "uploads, polls, watchers and cancels at 80 % of capacity: no error but 429 and 503, memory flat within 10 % after the first sixth, nothing left behind"
    let isQuick = false

    private static let load = 0.8
    private static let calibrationSeconds = 15.0

    func run(_ options: ProofOptions) throws -> ProofResult {
        let clip = try Clip.make(frames: 60, size: "320x240")
        let server = try Server()
        let wire = server.wire
        let capacity = try calibrate(server, clip)
        let files = Processes.openFiles(of: server.processIdentifier)
        let books = LoadBooks()
        let clients = 4
        let interval = Double(clients) / (capacity * Self.load)
        let crew = Crew(clients) { member, _ in
            let start = ContinuousClock.now
            books.attempt { try Self.session(member, wire, clip, books) }
            let rest = interval - (ContinuousClock.now - start) / .seconds(1)
            if rest > 0 { pause(rest) }
        }
        var memory: [Double] = []
        let seconds = options.minutes * 60
        let start = ContinuousClock.now
        var elapsed = 0.0
        while elapsed < seconds {
            pause(min(2, seconds))
            elapsed = (ContinuousClock.now - start) / .seconds(1)
            if elapsed > seconds / 6 {
                memory.append(Double(Processes.memory(of: server.processIdentifier)) / 1048576)
            }
        }
        crew.stop()
        var result = ProofResult(tried: "")
        result.losses += books.errors
        try clear(server, books, &result)
        let leftFiles = Processes.openFiles(of: server.processIdentifier)
        result.expect(leftFiles <= files + 2, "\(leftFiles - files) more files are open than before")
        // Growth, of the means of the first and the last quarter, so that one sample decides nothing.
        let quarter = max(1, memory.count / 4)
        let first = memory.prefix(quarter).reduce(0, +) / Double(quarter)
        let last = memory.suffix(quarter).reduce(0, +) / Double(quarter)
        result.expect(last <= 1.1 * first, "memory grew from \(first.text(1)) to \(last.text(1)) MiB")
        let counts = books.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        result.tried =
            "\(options.minutes.text(1)) minutes at \((capacity * Self.load).text(1)) jobs a second: \(counts)"
        result.figure =
            "memory \(first.text(1)) MiB, then \(last.text(1)) (\(memory.min()?.text(1) ?? "")"
            + " to \(memory.max()?.text(1) ?? ""))"
        return result
    }

    /// Jobs a second that are done where there are always some waiting.
    private func calibrate(_ server: Server, _ clip: Clip) throws -> Double {
        let wire = server.wire
        let counter = DoneCounter()
        let crew = Crew(4) { _, _ in
            guard let id = try? wire.submit(clip) else { return }
            while let answer = try? wire.get("/v1/jobs/\(id)"),
                ["queued", "running"].contains(answer.json["status"] as? String ?? "")
            { pause(0.01) }
            counter.add()
            _ = try? wire.request("DELETE", "/v1/jobs/\(id)")
        }
        pause(Self.calibrationSeconds)
        let rate = Double(counter.value) / Self.calibrationSeconds
        crew.stop()
        guard rate > 0 else { throw ProofError("no job was done in \(Self.calibrationSeconds) s") }
        return rate
    }

    /// What a client does with a job: submits it, watches or asks, cancels some, fetches, deletes.
    private static func session(_ member: Int, _ wire: WireServer, _ clip: Clip, _ books: LoadBooks) throws {
        let answer = try wire.request(
            "POST", "/v1/jobs?roi=\(clip.box)", fields: ["Content-Type: application/octet-stream"], body: clip.bytes)
        books.note("submissions", answer.status, allowed: [202])
        guard answer.status == 202, let id = answer.json["id"] as? String else { return }
        let path = "/v1/jobs/\(id)"
        switch Int.random(in: 0..<10) {
        case 0:
            books.note("cancels", try wire.request("POST", path + "/cancel").status, allowed: [202, 409])
        case 1...3:
            let events = try wire.get(path + "/events?frames=true")
            books.note("watched", events.status, allowed: [200])
        case 4...5:
            books.note(
                "held", try wire.request("GET", path, fields: ["Prefer: wait=10"]).status, allowed: [200])
        default: break
        }
        var status = "queued"
        while ["queued", "running"].contains(status) {
            let job = try wire.get(path)
            books.note("polls", job.status, allowed: [200])
            guard job.status == 200 else { return }
            status = job.json["status"] as? String ?? ""
            if ["queued", "running"].contains(status) { pause(0.05) }
        }
        if status == "failed" { books.error("job \(id) failed") }
        let results = try wire.get(path + "/results?format=json&partial=true")
        books.note("results", results.status, allowed: [200, 404, 409])
        books.note("deletions", try wire.request("DELETE", path).status, allowed: [204])
    }

    private func clear(_ server: Server, _ books: LoadBooks, _ result: inout ProofResult) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while !server.isIdle || !server.blobs().isEmpty, ContinuousClock.now < deadline { pause(0.1) }
        result.expect(server.isIdle, "decoders are left behind")
        result.expect(server.blobs().isEmpty, "\(server.blobs().count) files are left behind")
    }
}

/// Finished jobs, from any thread.
private final class DoneCounter: Sendable {
    private let count = Atomic(0)
    func add() { count.add(1, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}

/// Answers by kind, and the wrong ones.
private final class LoadBooks: Sendable {
    private let numbers = Mutex<[String: Int]>([:])
    private let wrong = Tally<String>()

    var counts: [String: Int] { numbers.withLock { $0 } }
    var errors: [String] { wrong.all }

    func note(_ what: String, _ status: Int, allowed: [Int]) {
        let isBusy = status == 429 || status == 503
        numbers.withLock { $0[isBusy ? "\(what) put off" : what, default: 0] += 1 }
        if !isBusy, !allowed.contains(status) { wrong.add("\(what): answered with \(status)") }
    }

    func error(_ text: String) { wrong.add(text) }

    func attempt(_ body: () throws -> Void) {
        do { try body() } catch { wrong.add("\(error)") }
    }
}
