import Foundation

/// The real `curl`, as a user runs it.
package struct Curl {
    package struct Response {
        package let status: Int
        package let fields: [(name: String, value: String)]
        package let body: Data
        package let exitStatus: Int32

        package var text: String { String(decoding: body, as: UTF8.self) }
        package var lines: [Substring] { text.split(separator: "\n") }

        package subscript(field: String) -> String? {
            fields.first { $0.name.lowercased() == field.lowercased() }?.value
        }

        package func json() throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: body) as? [String: Any] ?? [:]
        }
    }

    /// Runs `curl -s ARGUMENTS`, and takes status, fields and body apart.
    package static func run(_ arguments: [String], in folder: URL? = nil) throws -> Response {
        let head = try TemporaryFile()
        let output = try Executable.run(
            "/usr/bin/env", ["curl", "-s", "--max-time", "120", "-D", head.url.path] + arguments, in: folder)
        // The last head: `100 Continue` may stand before it.
        let heads = String(decoding: try head.contents(), as: UTF8.self)
            .replacingOccurrences(of: "\r\n", with: "\n")
            .components(separatedBy: "\n\n").filter { !$0.isEmpty }
        let lines = heads.last?.split(separator: "\n") ?? []
        let status = lines.first.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) } ?? 0
        let fields = lines.dropFirst().compactMap { line -> (String, String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (
                String(line[..<colon]), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            )
        }
        return Response(status: status, fields: fields, body: output.standardOutput, exitStatus: output.status)
    }

    package static func get(_ url: String, _ arguments: String...) throws -> Response { try run(arguments + [url]) }
}

extension Server {
    package func get(_ path: String, _ arguments: String...) throws -> Curl.Response {
        try Curl.run(arguments + [url + path])
    }

    package func post(_ path: String, _ arguments: [String], in folder: URL? = nil) throws -> Curl.Response {
        try Curl.run(["-X", "POST"] + arguments + [url + path], in: folder)
    }

    /// Submits by form fields; returns the job's id.
    package func submit(_ fields: [String], in folder: URL? = nil) throws -> String {
        let response = try post("/v1/jobs", fields.flatMap { ["-F", $0] }, in: folder)
        guard response.status == 202, let id = try response.json()["id"] as? String else {
            throw Failure.timedOut("202, got \(response.status): \(response.text)")
        }
        return id
    }

    package func job(_ id: String) throws -> [String: Any] { try get("/v1/jobs/\(id)").json() }

    package func status(_ id: String) throws -> String? { try job(id)["status"] as? String }

    /// Waits until the job has ended; returns it.
    package func finish(_ id: String, seconds: Double = 120) throws -> [String: Any] {
        var job: [String: Any] = [:]
        try poll("job \(id) to end", seconds: seconds) {
            job = try self.job(id)
            return ["succeeded", "failed", "canceled"].contains(job["status"] as? String)
        }
        return job
    }

    package func framesDone(_ id: String) throws -> Int {
        (try job(id)["progress"] as? [String: Any])?["frames_done"] as? Int ?? 0
    }
}
