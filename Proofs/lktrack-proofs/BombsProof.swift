import Foundation
import ServiceHarness

/// Small files that unpack to much.
struct BombsProof: Proof {
    let name = "bombs"
    let claim = """
        20 bombs: server and decoders together take no more than 1.5 GB, and each GET meanwhile is answered within 2 s
        """

    private static let count = 20
    private static let slowestGet = 2.0

    func run(_ options: ProofOptions) throws -> ProofResult {
        let server = try Server("--workers", "2", environment: ["LKTRACK_LIMITS_FRAMES": "5000"])
        let bombs = try Bombs.make()
        let share = MachineShare()
        let watch = try Watch(server)
        var result = ProofResult(tried: "")
        var outcomes: [String: Int] = [:]
        var ids: [(Bombs.Bomb, String)] = []
        for bomb in bombs.all {
            let file = HostileFiles.field(bomb.name, bombs.folder.path(bomb.name))
            let answer = try server.post("/v1/jobs", ["-F", file, "-F", "roi=4,4,8,8", "-F", "stop_frame=20"])
            if answer.status == 202, let id = try answer.json()["id"] as? String {
                ids.append((bomb, id))
            } else {
                // By its first bytes each is what it says, so that decoders are tried.
                result.losses.append("\(bomb.name): answered with \(answer.status)")
            }
        }
        for (bomb, id) in ids {
            let job = try server.finish(id, seconds: 300)
            let code = (job["error"] as? [String: Any])?["code"] as? String
            let end = code ?? job["status"] as? String ?? "?"
            outcomes[end, default: 0] += 1
            result.expect(
                bomb.ends.contains(end), "\(bomb.name): \(end), not \(bomb.ends.sorted().joined(separator: " or "))")
        }
        share.end()
        result.losses += watch.stop()
        result.expect(bombs.all.count == Self.count, "there are \(bombs.all.count) bombs, not \(Self.count)")
        result.expect(
            watch.slowest <= share.allowed(Self.slowestGet), "a GET took \(watch.slowest.text(1)) s\(share.text)")
        let peak = Double(watch.peakMemory) / 1e9
        result.expect(peak <= 1.5, "\(peak.text(2)) GB were taken")
        result.tried = "\(bombs.all.count) bombs, two at a time, while \(watch.requests) GETs were answered"
        result.figure =
            "peak \(peak.text(2)) GB, slowest GET \((watch.slowest * 1000).text()) ms\(share.text); "
            + outcomes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return result
    }
}
