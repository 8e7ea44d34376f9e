import Foundation
import ServiceHarness

/// A decoder's end is its job's affair alone.
///
/// A signal may come when a decoder has handed everything over and is about to end anyhow: then its job succeeds, and
/// rightly. Only the server can tell which it was, so its counts are the books, and each job has to agree with them in
/// every way: how many decoders it was given, how it ended, and whether each frame is in its result.
struct DecodersProof: Proof {
    let name = "kill decoders"
    let claim =
        "decoders killed by SIGSEGV or SIGKILL at random moments: no API error, and the job fails with decoder_crashed after its retry"

    func run(_ options: ProofOptions) throws -> ProofResult {
        // Of decoders that had frames left.
        let wanted = options.rounds(100, quick: 10)
        let clip = try Clip.make(frames: options.rounds(1000, quick: 300))
        let server = try Server("--workers", "1")
        let watch = try Watch(server)
        var result = ProofResult(tried: "")
        var killed = 0
        var crashed = 0
        var late = 0
        var ended: [String: Int] = [:]
        var frames: [Int] = []
        let start = ContinuousClock.now
        let work = try Work(clip, query: "&tracker=template", undisturbedOn: server)
        // How long one takes that is let be: what is counted of a job comes too seldom to aim by.
        var life = (ContinuousClock.now - start) / .seconds(1)
        // Each job brings a decoder's end nearer, or one that was too late; the bound is for a service that starts none.
        for number in 0..<(4 * wanted) where crashed < wanted && late <= wanted {
            let job = try KilledJob(server, work, by: number % 2 == 0 ? SIGSEGV : SIGKILL, within: life)
            if job.killed == 0 { life = min(life, job.seconds) }
            killed += job.killed
            crashed += job.crashed
            late += job.killed - job.crashed
            ended[job.code, default: 0] += 1
            if let frame = job.frame { frames.append(frame) }
            result.losses += job.losses
        }
        result.expect(crashed >= wanted, "only \(crashed) of \(killed) decoders were killed before their last frame")
        result.losses += watch.stop()
        result.expect(server.processIsRunning, "the server is gone")
        result.expect(server.isIdle, "a decoder is left behind")
        result.tried =
            "\(killed) decoders killed, of every other job by SIGKILL, \(late) of them after their last frame, while \(watch.requests) GETs were answered"
        result.figure =
            ended.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            + "; at frames \(frames.min() ?? 0) to \(frames.max() ?? 0)"
        return result
    }
}

/// A job of which every decoder is killed, and what the server says of it.
private struct KilledJob {
    /// Decoders of it that were sent a signal.
    let killed: Int
    /// Those that the server found dead with frames left to deliver.
    let crashed: Int
    /// Its error's, or its state.
    let code: String
    /// Where its last decoder died.
    let frame: Int?
    /// From its submission to its end.
    let seconds: Double
    /// What of it should not be.
    let losses: [String]

    /// - Parameter life: each decoder is killed at a random moment of so many seconds.
    init(_ server: Server, _ work: Work, by signal: Int32, within life: Double) throws {
        let before = try Counts(server)
        let start = ContinuousClock.now
        guard let id = try server.wire.submit(work.clip, query: work.query) else {
            throw ProofError("a job is not accepted")
        }
        // When each is to be killed.
        var aims: [Int32: ContinuousClock.Instant] = [:]
        var hit: Set<Int32> = []
        var job: [String: Any] = [:]
        let deadline = start + .seconds(600)
        repeat {
            guard ContinuousClock.now < deadline else { throw ProofError("the job does not end: \(job)") }
            pause(0.002)
            let decoders = server.decoders()
            job = try server.wire.get("/v1/jobs/\(id)").json
            for decoder in decoders where !hit.contains(decoder) {
                let aim = aims[decoder] ?? .now + .seconds(.random(in: 0..<life))
                aims[decoder] = aim
                guard ContinuousClock.now >= aim, kill(decoder, signal) == 0 else { continue }
                hit.insert(decoder)
                // It may be at its end anyhow, and then the server ends it; but a signal that it outlives is no kill.
                let patience = ContinuousClock.now + .seconds(30)
                while Processes.isAlive(decoder), ContinuousClock.now < patience { pause(0.001) }
                if Processes.isAlive(decoder) { throw ProofError("a decoder goes on after signal \(signal)") }
            }
        } while ["queued", "running"].contains(job["status"] as? String ?? "")
        seconds = (ContinuousClock.now - start) / .seconds(1)
        let after = try Counts(server)
        let error = job["error"] as? [String: Any]
        let (killed, crashed) = (hit.count, after.crashes - before.crashes)
        let code = error?["code"] as? String ?? job["status"] as? String ?? "?"
        let frame = error?["frame"] as? Int
        let what = "a job of which \(killed) decoders were killed, \(crashed) before their last frame"
        var losses: [String] = []
        func expect(_ holds: Bool, _ loss: String) { if !holds { losses.append("\(what): \(loss)") } }
        expect(crashed <= killed, "the server counts more than that")
        // One retry, and no second.
        expect(code == (crashed < 2 ? "succeeded" : "decoder_crashed") && crashed <= 2, code)
        expect(job["attempt"] as? Int == 1, "attempt \(job["attempt"] ?? "?")")
        let started = after.starts - before.starts
        expect(started == min(crashed + 1, 2), "\(started) decoders were started")
        if code == "succeeded" {
            losses += try Accounts(work: work, accepted: [id]).balance(server).losses
        } else {
            // One that was killed after its last frame was awaited to say that it was the last.
            expect(frame.map { (0...work.clip.frames).contains($0) } ?? false, "no frame is named")
        }
        (self.killed, self.crashed, self.code, self.frame, self.losses) = (killed, crashed, code, frame, losses)
    }

    /// What the server counts of its decoders.
    private struct Counts {
        let starts, crashes: Int

        init(_ server: Server) throws {
            let text = try server.wire.get("/metrics").body
            func count(_ name: String) throws -> Int {
                guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name + " ") }),
                    let value = line.split(separator: " ").last.flatMap({ Double($0) })
                else { throw ProofError("the server does not count \(name)") }
                return Int(value)
            }
            starts = try count("lktrack_decoder_starts_total")
            crashes = try count("lktrack_decoder_crashes_total")
        }
    }
}
