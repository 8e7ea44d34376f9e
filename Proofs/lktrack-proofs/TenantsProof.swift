import Foundation
import ServiceHarness

/// Somebody else's job is not there, on any route that the service's own document names.
struct TenantsProof: Proof {
    let name = "tenants"
    let claim = "on every route, another tenant's job or upload is answered as one that never was"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let server = try Server("--workers", "1")
        let wire = server.wire
        let owner = try server.key("acme")[1]
        let stranger = try server.key("globex")[1]
        let clip = try Clip.make(frames: 10)
        guard let job = try wire.submit(clip, fields: [owner]) else { throw ProofError("the job is not accepted") }
        try wait(for: "the job to succeed") {
            try wire.get("/v1/jobs/\(job)", [owner]).json["status"] as? String == "succeeded"
        }
        let made = try WireClient(port: server.port)
        made.send(
            "POST /v1/uploads HTTP/1.1\r\nHost: a\r\n\(owner)\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 10\r\n"
                + "Content-Length: 0\r\nConnection: close\r\n\r\n")
        let head = String(decoding: made.readToEnd(), as: UTF8.self)
        guard let place = head.firstMatch(of: /\/v1\/uploads\/([0-9a-f-]+)/)?.output.1 else {
            throw ProofError("the upload is not made: \(head)")
        }
        var result = ProofResult(tried: "")
        let never = "01890000-0000-7000-8000-000000000000"
        let document = try wire.get("/openapi.json").json
        let paths = document["paths"] as? [String: [String: Any]] ?? [:]
        var count = 0
        // What stands outside of /v1 is the same for everybody: pages that ask for a job once they are loaded.
        for (pattern, operations) in paths.sorted(by: { $0.key < $1.key })
        where pattern.hasPrefix("/v1/") && pattern.contains("{id}") {
            let id = pattern.contains("uploads") ? String(place) : job
            func path(_ id: String) -> String {
                pattern.replacingOccurrences(of: "{id}", with: id).replacingOccurrences(of: "{n}", with: "0")
                    .replacingOccurrences(of: "{t}", with: "target-1")
            }
            for method in operations.keys.sorted() where ["get", "post", "patch", "delete", "head"].contains(method) {
                let verb = method.uppercased()
                let fields = [
                    stranger, "Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream",
                    "Upload-Offset: 0",
                ]
                let theirs = try wire.request(verb, path(id), fields: fields)
                let none = try wire.request(verb, path(never), fields: fields)
                let nobody = try wire.request(verb, path(id), fields: Array(fields.dropFirst())).status
                count += 3
                result.expect(theirs.status == 404, "\(verb) \(pattern): \(theirs.status)")
                result.expect(
                    try Self.problem(theirs) == Self.problem(none),
                    "\(verb) \(pattern): \(theirs.body), and \(none.body) where there is none")
                result.expect(nobody == 401, "\(verb) \(pattern) without a key: \(nobody)")
            }
        }
        for (path, body) in Self.bodies {
            for id in [job, String(place)] {
                func answer(_ id: String) throws -> WireAnswer {
                    try wire.request(
                        "POST", path, fields: [stranger, "Content-Type: application/json"],
                        body: Array(body.replacingOccurrences(of: "{id}", with: id).utf8))
                }
                let theirs = try answer(id)
                let none = try answer(never)
                count += 2
                result.expect((400..<500).contains(theirs.status), "\(path) \(body): \(theirs.status)")
                result.expect(
                    try Self.problem(theirs) == Self.problem(none),
                    "\(path) \(body): \(theirs.body), and \(none.body) where there is none")
            }
        }
        // What is refused to a stranger is not refused to everybody.
        let own = try wire.request(
            "POST", "/v1/trackability", fields: [owner, "Content-Type: application/json"],
            body: Array(#"{"job":"{id}","boxes":[[1,1,20,20]]}"#.replacingOccurrences(of: "{id}", with: job).utf8))
        result.expect(own.status == 200, "the owner asks for trackability: \(own.status)")
        let list = try wire.get("/v1/jobs", [stranger])
        result.expect(!list.body.contains(job) && list.status == 200, "the list shows it")
        let still = try wire.get("/v1/jobs/\(job)", [owner])
        result.expect(still.json["status"] as? String == "succeeded", "the owner's job has changed: \(still.body)")
        result.expect(count > 30, "only \(count) requests were made")
        result.tried =
            "\(count + 1) requests on \(paths.count) paths of the OpenAPI document, with 2 tenants and without"
        return result
    }

    /// What names somebody else's job or upload in the body.
    private static let bodies = [
        (path: "/v1/jobs", body: #"{"source":{"job":"{id}"},"targets":[{"box":[1,1,20,20]}]}"#),
        (path: "/v1/jobs", body: #"{"source":{"upload":"{id}"},"targets":[{"box":[1,1,20,20]}]}"#),
        (path: "/v1/trackability", body: #"{"job":"{id}","boxes":[[1,1,20,20]]}"#),
        (path: "/v1/trackability", body: #"{"upload":"{id}","boxes":[[1,1,20,20]]}"#),
    ]

    /// A status and a problem document but for its `instance`, which names the request.
    private static func problem(_ answer: WireAnswer) throws -> [String] {
        let document = answer.json.filter { $0.key != "instance" }
        let bytes = try JSONSerialization.data(withJSONObject: document, options: .sortedKeys)
        return ["\(answer.status)", String(decoding: bytes, as: UTF8.self)]
    }
}
