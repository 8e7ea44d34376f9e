import Foundation
import ServiceHarness

/// Files that want to be opened by the wrong parser, to have others opened, or to break the right parser.
struct HostileMediaProof: Proof {
    let name = "hostile media"
    let claim = "hostile files read nothing but themselves, and harm nothing but their own job"

    private static let count = 50

    func run(_ options: ProofOptions) throws -> ProofResult {
        let listener = try Listener("127.0.0.1", answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let data = try TemporaryFolder()
        let server = try Server("--workers", "2", data: data)
        // Somebody else's job, which is done: its video is there to be read.
        let neighbour = try server.finishedJob()
        let files = try HostileFiles(
            canaryPort: Int(listener.port), neighbour: data.path("blobs/jobs/\(neighbour)/source"))
        // By their names alone, they are looked for where decoders are.
        let beside = try files.canaries.map { path in
            let copy = data.path(URL(fileURLWithPath: path).lastPathComponent)
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            return copy
        }
        let canaries = try Canaries()
        for path in files.canaries + beside + [files.neighbour] { try canaries.watch(path) }
        let watch = try Watch(server)
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
        result.expect(files.all.count >= Self.count, "there are \(files.all.count) files, not \(Self.count)")
        result.expect(submitted.count >= Self.count, "only \(submitted.count) files came to a decoder")
        result.expect(server.decoders().isEmpty, "decoders are left behind")
        result.expect(server.stop() == 0, "it does not stop")
        let connections = listener.connections
        result.expect(connections == 0, "\(connections) connections to the address in a playlist")
        let touched = canaries.touched()
        result.losses += touched.sorted().map { "\($0) was opened" }
        result.expect(canaries.seeEach(), "files could have been opened unseen")
        result.tried = "\(files.all.count) files, \(files.all.count { $0.isPlaylist }) of them playlists"
        result.figure =
            "\(connections) connections, \(touched.count) of \(canaries.count) other files opened; "
            + outcomes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return result
    }
}
