import HTTPServer
import Jobs
import Testing

@testable import TrackingAPI

@Suite("Somebody else's job")
struct TenantTests {
    private static let (owner, stranger) = (TenantID("owner"), TenantID("stranger"))

    /// A service with a key for each of the two.
    private struct Pair {
        let service: Service
        let owner: (name: String, value: String)
        let stranger: (name: String, value: String)

        init() throws {
            service = try Service(keys: .required)
            owner = try service.key(TenantTests.owner, id: "k1")
            stranger = try service.key(TenantTests.stranger, id: "k2")
        }

        /// A job with everything that a job can have.
        func job() throws -> JobID {
            let id = try service.submit(tenant: TenantTests.owner, video: .mp4, labels: ["camera": "7"])
            try service.finish(id, lines: [Lines.frame(0)], video: Sample.video())
            return id
        }
    }

    /// What a request needs beside its path.
    private static func fields(_ method: String, _ pattern: String) -> [(name: String, value: String)] {
        guard pattern.hasPrefix("/v1/uploads") else { return [] }
        return method == "PATCH" ? Service.chunk + [("Upload-Offset", "0")] : Service.tus
    }

    /// The path of something of the owner's; `nil` where the pattern names nothing that could be somebody's.
    private static func path(_ pattern: String, _ pair: Pair) throws -> String? {
        guard pattern.hasPrefix("/v1/"), pattern.contains("{") else { return nil }
        if pattern.hasPrefix("/v1/jobs/{id}") {
            return pattern.replacing("{id}", with: "\(try pair.job())").replacing("{n}", with: "0")
                .replacing("{t}", with: "car")
        }
        if pattern.hasPrefix("/v1/uploads/{") {
            let path: String = try pair.service.create(10, [pair.owner])
            return path
        }
        Issue.record("say here how a stranger would ask for what \(pattern) is about")
        return nil
    }

    @Test("is not there, whatever is asked of it: each route answers as for a job that never was")
    func everyRoute() throws {
        let pair = try Pair()
        var asked = 0
        for (method, pattern) in pair.service.routes {
            guard let path = try Self.path(pattern, pair) else { continue }
            #expect(!path.contains("{"), "\(path)")
            let fields = Self.fields(method, pattern)
            let body: [UInt8]? = ["POST", "PATCH", "PUT"].contains(method) ? [] : nil
            let answer = pair.service.send(method, path, [pair.stranger] + fields, body: body)
            #expect(answer.status == 404, "\(method) \(pattern): \(answer.text)")
            let own = pair.service.send(method, path, [pair.owner] + fields, body: body)
            #expect(own.status != 401 && own.detail != answer.detail, "\(method) \(pattern): \(own.status)")
            guard pattern.hasPrefix("/v1/jobs/{id}") else { continue }
            let segments = path.split(separator: "/").map(String.init)
            let never = path.replacing(segments[2], with: "0197aaaa-0000-7000-8000-000000000000")
            let missing = pair.service.send(method, never, [pair.stranger] + fields, body: body)
            #expect(missing.status == 404 && missing.detail == answer.detail, "\(method) \(pattern)")
            asked += 1
        }
        #expect(asked >= 7)
    }

    @Test("is not listed, by no filter")
    func lists() throws {
        let pair = try Pair()
        let id = try pair.job()
        for query in ["", "?status=succeeded", "?label.camera=7", "?status=succeeded&label.camera=7&limit=200"] {
            let stranger = pair.service.send("GET", "/v1/jobs\(query)", [pair.stranger])
            #expect(stranger.json?["jobs"] == [], "\(query)")
            let owner = pair.service.send("GET", "/v1/jobs\(query)", [pair.owner])
            #expect(owner.json?["jobs"]?.arrayValue?.first?["id"] == .string("\(id)"), "\(query)")
        }
    }

    @Test("pages of a filtered list lead through the tenant's own jobs only")
    func pages() throws {
        let pair = try Pair()
        var wanted: [String] = []
        for index in 0..<12 {
            _ = try pair.service.submit(tenant: Self.stranger, labels: ["camera": "\(index % 2)"])
            let id = try pair.service.submit(tenant: Self.owner, labels: ["camera": "\(index % 2)"])
            if index % 2 == 1 { wanted.insert("\(id)", at: 0) }
        }
        var target: String? = "/v1/jobs?label.camera=1&status=queued&limit=4"
        var listed: [String] = []
        while let next = target {
            let answer = pair.service.send("GET", next, [pair.owner])
            listed += answer.json?["jobs"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
            target = answer.fields["Link"].map { String($0.dropFirst().prefix { $0 != ">" }) }
        }
        #expect(listed == wanted)
    }

    @Test("gives its video to nobody: as a source it does not exist")
    func asSource() throws {
        let pair = try Pair()
        let id = try pair.job()
        let body = Array(#"{"source": {"job": "\#(id)"}, "targets": [{"box": [1, 2, 30, 40]}]}"#.utf8)
        let json = (name: "Content-Type", value: "application/json")
        let refused = pair.service.send("POST", "/v1/jobs", [pair.stranger, json], body: body)
        expectProblem(refused, 422, pointer: "#/source/job", saying: "there is no job with this id")
        #expect(pair.service.send("POST", "/v1/jobs", [pair.owner, json], body: body).status == 202)
    }

    @Test("and somebody else's upload make no job")
    func uploadAsSource() throws {
        let pair = try Pair()
        let path = try pair.service.create(Sample.video().count, [pair.owner])
        #expect(pair.service.patch(path, at: 0, Sample.video(), [pair.owner]).status == 204)
        let id = path.split(separator: "/").last ?? ""
        let body = Array(#"{"source": {"upload": "\#(id)"}, "targets": [{"box": [1, 2, 30, 40]}]}"#.utf8)
        let json = (name: "Content-Type", value: "application/json")
        let refused = pair.service.send("POST", "/v1/jobs", [pair.stranger, json], body: body)
        expectProblem(refused, 422, pointer: "#/source/upload")
        #expect(pair.service.send("POST", "/v1/jobs", [pair.owner, json], body: body).status == 202)
    }

    @Test("is not changed by what a stranger asks")
    func unchanged() throws {
        let pair = try Pair()
        let id = try pair.service.submit(tenant: Self.owner)
        let before = try pair.service.store.job(id, tenant: Self.owner)
        let files = pair.service.files
        for (method, path) in [("POST", "/v1/jobs/\(id)/cancel"), ("DELETE", "/v1/jobs/\(id)")] {
            #expect(pair.service.send(method, path, [pair.stranger]).status == 404)
        }
        #expect(try pair.service.store.job(id, tenant: Self.owner) == before)
        #expect(pair.service.files == files)
        #expect(pair.service.signals.cancellations.withLock { $0 }.isEmpty)
    }
}
