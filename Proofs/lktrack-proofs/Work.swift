import Foundation
import ServiceHarness

extension Server {
    /// A small job that succeeds: its id, once it has.
    ///
    /// - Parameter clip: `nil`: any.
    func finishedJob(_ clip: Clip? = nil) throws -> String {
        guard let id = try wire.submit(clip ?? Clip.make(frames: 10)) else {
            throw ProofError("a job is not accepted")
        }
        let job = try finish(id)
        guard job["status"] as? String == "succeeded" else { throw ProofError("an honest job fails: \(job)") }
        return id
    }
}

/// What is submitted, and what must come of it.
struct Work: Sendable {
    let clip: Clip
    /// Further fields of the query.
    private(set) var query: String
    /// The NDJSON of its result where nothing disturbs: results are the same bytes each time.
    let expected: [UInt8]

    /// - Parameter server: one that nothing is done to meanwhile; it does the work once, and forgets it.
    init(_ clip: Clip, query: String = "", undisturbedOn server: Server) throws {
        self.clip = clip
        self.query = query
        guard let id = try server.wire.submit(clip, query: query) else { throw ProofError("a job is not accepted") }
        let path = "/v1/jobs/\(id)"
        try wait(for: "a job that nothing disturbs to end", seconds: 600) {
            !["queued", "running"].contains(try server.wire.get(path).json["status"] as? String ?? "")
        }
        let result = try server.wire.get(Self.result(of: id))
        let lines = result.bytes.split(separator: UInt8(ascii: "\n")).count
        guard result.status == 200, lines >= clip.frames else {
            throw ProofError("where nothing disturbs, there are \(lines) lines in a result of \(clip.frames) frames")
        }
        expected = result.bytes
        let status = try server.wire.request("DELETE", path).status
        guard status == 204 else { throw ProofError("the deletion of a job is answered with \(status)") }
    }

    /// The same with further fields, which change nothing of its result.
    func asking(_ fields: String) -> Work {
        var other = self
        other.query += fields
        return other
    }

    /// Where it is submitted.
    var path: String { "/v1/jobs?roi=\(clip.box)\(query)" }

    static func result(of job: String) -> String { "/v1/jobs/\(job)/results?format=ndjson" }
}
