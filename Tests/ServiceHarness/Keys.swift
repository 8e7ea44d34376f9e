import Foundation

/// `lktrack keys` on a server's data.
extension Server {
    package func keys(_ arguments: String...) throws -> Executable.Output {
        try Executable.run(Executable.lktrack, ["keys"] + arguments + ["--data-dir", data.url.path], in: data.url)
    }

    /// Makes a key and waits until the server knows it; returns what curl needs to send it.
    package func key(_ tenant: String, _ arguments: String...) throws -> [String] {
        let made = try Executable.run(
            Executable.lktrack, ["keys", "create", "--tenant", tenant, "--data-dir", data.url.path] + arguments,
            in: data.url)
        guard made.status == 0, let key = made.lines.first else {
            throw Failure.timedOut("a key: \(made.standardError)")
        }
        let field = ["-H", "Authorization: Bearer \(key)"]
        if processIsRunning { try poll("the key to open") { try get("/v1/jobs", field).status == 200 } }
        return field
    }

    package func get(_ path: String, _ arguments: [String]) throws -> Curl.Response {
        try Curl.run(arguments + [url + path])
    }
}
