import Foundation
import ServiceHarness

/// Files that want to be opened by the wrong parser, to have others opened, or to break the right parser.
struct HostileMediaProof: Proof {
    let name = "hostile media"
    let claim = "hostile files read nothing but themselves, and harm nothing but their own job"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let server = try Server("--workers", "2")
        let canary = try Listener("127.0.0.1", answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let files = try HostileFiles(canaryPort: Int(canary.port))
        let watch = Watch(server)
        var result = ProofResult(tried: "")
        var outcomes: [String: Int] = [:]
        var submitted: [(file: HostileFiles.File, id: String)] = []
        for file in files.all {
            let path = try files.folder.write(file.bytes, to: file.name)
            let answer = try server.post(
                "/v1/jobs", ["-F", HostileFiles.field(file.name, path), "-F", "roi=40,40,40,40"])
            if answer.status == 202, let id = try answer.json()["id"] as? String {
                submitted.append((file, id))
            } else {
                outcomes["refused at once", default: 0] += 1
                result.expect((400..<500).contains(answer.status), "\(file.what): answered with \(answer.status)")
            }
        }
        for (file, id) in submitted {
            let job = try server.finish(id)
            let code = (job["error"] as? [String: Any])?["code"] as? String
            outcomes[code ?? (job["status"] as? String ?? "?"), default: 0] += 1
            result.expect(
                code.map { !["internal_error", "worker_lost"].contains($0) } ?? true, "\(file.what): \(code ?? "")")
            result.expect(!file.isPlaylist || code != nil, "\(file.what): was tracked")
        }
        result.losses += watch.stop()
        result.expect(canary.connections == 0, "\(canary.connections) connections to the address in a playlist")
        result.expect(server.decoders().isEmpty, "decoders are left behind")
        result.tried = "\(files.all.count) files, \(files.all.count { $0.isPlaylist }) of them playlists"
        result.figure = outcomes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return result
    }
}
