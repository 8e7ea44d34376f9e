import Foundation
import ServiceHarness

/// The books of what a server accepted, and whether it kept it.
struct Accounts {
    let clip: Clip
    /// Told by 202.
    let accepted: [String]
    /// Of each job; every one has a line for each frame.
    var targets = 1
    /// Ends that the proof brings about itself.
    var allowedCodes: Set<String> = []

    /// Waits for all of them to end and looks at each. Returns what is wrong with them.
    func losses(_ server: Server, seconds: Double = 600) throws -> [String] {
        let wire = server.wire
        let deadline = ContinuousClock.now + .seconds(seconds)
        var losses: [String] = []
        for id in accepted {
            var answer = try wire.get("/v1/jobs/\(id)")
            while ["queued", "running"].contains(answer.json["status"] as? String ?? "") {
                guard ContinuousClock.now < deadline else {
                    return losses + ["job \(id) has not ended after \(seconds.text()) s"]
                }
                pause(0.02)
                answer = try wire.get("/v1/jobs/\(id)")
            }
            losses += try loss(answer, id, wire).map { ["job \(id): \($0)"] } ?? []
        }
        return losses
    }

    private func loss(_ answer: WireAnswer, _ id: String, _ wire: WireServer) throws -> String? {
        guard answer.status == 200 else { return "answered with \(answer.status)" }
        if answer.json["status"] as? String != "succeeded" {
            let code = (answer.json["error"] as? [String: Any])?["code"] as? String ?? ""
            return allowedCodes.contains(code) ? nil : "ended as \(answer.json["status"] ?? "?") \(code)"
        }
        let lines = try wire.get("/v1/jobs/\(id)/results?format=csv").body.split(separator: "\n").count - 1
        let expected = clip.frames * targets
        return lines == expected ? nil : "\(lines) of \(expected) lines in its result"
    }
}

/// What must not be left of a server that has stopped.
enum Leftovers {
    /// Drafts of files and folders of jobs that nobody knows.
    static func losses(_ server: Server) -> [String] {
        let drafts = server.blobs().filter { $0.contains(".tmp") || $0.contains("/.") || $0.hasPrefix(".") }
        return drafts.map { "left behind: \($0)" }
    }
}

/// SQLite's own account of a database.
enum Database {
    static func integrity(_ path: String) throws -> String {
        let script =
            "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('pragma integrity_check').fetchone()[0])"
        let output = try Executable.run("/usr/bin/python3", ["-c", script, path])
        return output.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
