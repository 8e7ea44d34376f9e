import Foundation
import ServiceHarness
import Synchronization

/// Half an hour of everything at once.
struct LoadProof: Proof {
    let name = "load"
    let claim =
        "uploads, polls, watchers and cancels at 80 % of capacity: 90 % of that accepted, no error but 429 and 503, memory flat within 10 % after the first sixth, nothing left behind"
    let isQuick = false

    private static let load = 0.8
    private static let calibrationSeconds = 15.0
    /// Of the jobs that are offered, how many must be accepted, and of other requests, how many may be put off.
    private static let acceptedShare = 0.9
    private static let putOffShare = 0.1
    /// As many as have sessions at the same time where each takes a second or more.
    private static let clients = 12

    func run(_ options: ProofOptions) throws -> ProofResult {
        let clip = try Clip.make(frames: 60, size: "320x240")
        let server = try Server()
        let wire = server.wire
        let capacity = try calibrate(server, clip)
        let files = Processes.openFiles(of: server.processIdentifier)
        let books = LoadBooks()
        let offered = capacity * Self.load
        let begin = ContinuousClock.now
        let turns = Counter()
        // Who is late does not offer less: turns fall due by the clock.
        let crew = Crew(Self.clients) { _, crew in
            let due = begin + .seconds(Double(turns.next()) / offered)
            while ContinuousClock.now < due, !crew.hasToStop { pause(min(0.1, max(0, (due - .now) / .seconds(1)))) }
            if !crew.hasToStop { books.attempt { try Self.session(wire, clip, books) } }
        }
        var samples: [Double] = []
        let seconds = options.minutes * 60
        var elapsed = 0.0
        while elapsed < seconds {
            pause(min(2, seconds))
            elapsed = (ContinuousClock.now - begin) / .seconds(1)
            if elapsed > seconds / 6 {
                samples.append(Double(Processes.memory(of: server.processIdentifier)) / 1048576)
            }
        }
        let counts = books.counts
        crew.stop()
        var result = ProofResult(tried: "")
        result.losses += books.errors
        try clear(server, books, &result)
        // The machine may have become slower by other work: what it can do now is asked once more.
        let still = try calibrate(server, clip)
        try clear(server, books, &result)
        judge(counts, seconds: elapsed, least: Self.acceptedShare * min(offered, still * Self.load), &result)
        // The last connections close, and a decoder is made ready, a moment after the last answer; what leaked stays.
        var leftFiles = Processes.openFiles(of: server.processIdentifier)
        let settled = ContinuousClock.now + .seconds(10)
        while leftFiles > files + 2, ContinuousClock.now < settled {
            pause(0.1)
            leftFiles = Processes.openFiles(of: server.processIdentifier)
        }
        result.expect(leftFiles <= files + 2, "\(leftFiles - files) more files are open than before")
        let memory = try Memory(samples)
        result.losses += memory.losses
        result.tried =
            "\(options.minutes.text(1)) minutes, \(offered.text(1)) jobs a second offered, to a capacity of"
            + " \(capacity.text(1)) (\(still.text(1)) in the end): "
            + counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        result.figure =
            "a second: "
            + LoadBooks.kinds.map { "\((Double(counts[$0] ?? 0) / elapsed).text(1)) \($0)" }.joined(separator: ", ")
            + "; \(memory.text)"
        return result
    }

    /// What the server's memory was, in MiB, once a sixth of the time was over.
    private struct Memory {
        /// Means, so that one sample decides nothing: of the first minute of the 25 that count of 30, and of the first
        /// and the last quarter.
        private let start, first, last: Double
        private let least, most: Double

        private static let growth = 1.1

        init(_ samples: [Double]) throws {
            guard let least = samples.min(), let most = samples.max() else {
                throw ProofError("no memory was measured")
            }
            func mean(_ samples: ArraySlice<Double>) -> Double { samples.reduce(0, +) / Double(samples.count) }
            start = mean(samples.prefix(max(1, samples.count / 25)))
            let quarter = max(1, samples.count / 4)
            first = mean(samples.prefix(quarter))
            last = mean(samples.suffix(quarter))
            (self.least, self.most) = (least, most)
        }

        var losses: [String] {
            var losses: [String] = []
            if last > Self.growth * first { losses.append("memory grew from \(first.text(1)) to \(last.text(1)) MiB") }
            if most > Self.growth * start { losses.append("memory rose from \(start.text(1)) to \(most.text(1)) MiB") }
            return losses
        }

        var text: String {
            "memory \(start.text(1)) MiB in the first minute, \(first.text(1)) in the first quarter, "
                + "\(last.text(1)) in the last (\(least.text(1)) to \(most.text(1)))"
        }
    }

    /// - Parameter least: jobs a second that must have been accepted.
    private func judge(_ counts: [String: Int], seconds: Double, least: Double, _ result: inout ProofResult) {
        let accepted = Double(counts["submissions"] ?? 0) / seconds
        result.expect(
            accepted >= least, "\(accepted.text(2)) jobs a second were accepted of at least \(least.text(2))")
        for kind in LoadBooks.kinds {
            let (done, putOff) = (counts[kind] ?? 0, counts[LoadBooks.putOff(kind)] ?? 0)
            result.expect(done > 0, "no \(kind)")
            result.expect(
                Double(putOff) <= Self.putOffShare * Double(done + putOff), "\(putOff) \(kind) put off, \(done) not")
        }
    }

    /// Jobs a second that are done where there are always some waiting.
    private func calibrate(_ server: Server, _ clip: Clip) throws -> Double {
        let wire = server.wire
        let counter = Counter()
        let crew = Crew(4) { _, _ in
            guard let id = try? wire.submit(clip) else { return }
            while let answer = try? wire.get("/v1/jobs/\(id)"),
                ["queued", "running"].contains(answer.json["status"] as? String ?? "")
            { pause(0.01) }
            counter.next()
            _ = try? wire.request("DELETE", "/v1/jobs/\(id)")
        }
        pause(Self.calibrationSeconds)
        let rate = Double(counter.value) / Self.calibrationSeconds
        crew.stop()
        guard rate > 0 else { throw ProofError("no job was done in \(Self.calibrationSeconds) s") }
        return rate
    }

    /// What a client does with a job: submits it, watches or asks, cancels some, fetches, deletes.
    private static func session(_ wire: WireServer, _ clip: Clip, _ books: LoadBooks) throws {
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
            let isPutOff = books.note("polls", job.status, allowed: [200])
            guard isPutOff || job.status == 200 else { return }
            status = isPutOff ? status : job.json["status"] as? String ?? ""
            if ["queued", "running"].contains(status) { pause(0.05) }
        }
        if status == "failed" { books.error("job \(id) failed") }
        let results = try wire.get(path + "/results?format=json")
        // A job that was canceled before its first frame has none.
        books.note("results", results.status, allowed: status == "succeeded" ? [200] : [200, 409])
        while books.note("deletions", try wire.request("DELETE", path).status, allowed: [204]) { pause(0.05) }
    }

    private func clear(_ server: Server, _ books: LoadBooks, _ result: inout ProofResult) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while !server.isIdle || !server.blobs().isEmpty, ContinuousClock.now < deadline { pause(0.1) }
        result.expect(server.isIdle, "decoders are left behind")
        result.expect(server.blobs().isEmpty, "\(server.blobs().count) files are left behind")
    }
}

/// Answers by kind, and the wrong ones.
private final class LoadBooks: Sendable {
    private let numbers = Mutex<[String: Int]>([:])
    private let wrong = Tally<String>()

    var counts: [String: Int] { numbers.withLock { $0 } }
    var errors: [String] { wrong.all }

    /// What a session does.
    static let kinds = ["submissions", "polls", "held", "watched", "cancels", "results", "deletions"]
    static func putOff(_ kind: String) -> String { "\(kind) put off" }

    /// Whether it was put off.
    @discardableResult
    func note(_ kind: String, _ status: Int, allowed: [Int]) -> Bool {
        let isPutOff = status == 429 || status == 503
        numbers.withLock { $0[isPutOff ? Self.putOff(kind) : kind, default: 0] += 1 }
        if !isPutOff, !allowed.contains(status) { wrong.add("\(kind): answered with \(status)") }
        return isPutOff
    }

    func error(_ text: String) { wrong.add(text) }

    func attempt(_ body: () throws -> Void) {
        do { try body() } catch { wrong.add("\(error)") }
    }
}
