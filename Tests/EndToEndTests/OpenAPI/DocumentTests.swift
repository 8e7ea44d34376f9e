import Foundation
import Testing

@Suite("The OpenAPI document of a running server")
struct DocumentTests {
    @Test("openapi-spec-validator accepts it, and the command line prints the same")
    func valid() throws {
        let server = try Server()
        let folder = try TemporaryFolder()
        let served = try server.get("/openapi.json")
        #expect(served.status == 200 && served["Content-Type"] == "application/json")
        let file = try folder.write(served.body, to: "openapi.json")
        let validator = try Executable.run(Python.program("openapi-spec-validator"), [file])
        #expect(validator.status == 0, "\(validator.text) \(validator.standardError)")
        let printed = try Executable.lktrack("openapi")
        #expect(printed.status == 0)
        #expect(printed.standardOutput == served.body + Data("\n".utf8))
    }

    /// Validates answers against the schemas of the operations that they are of; objects may have no other members than
    /// those that are described.
    private static let validator = """
        import json, sys
        from jsonschema import Draft202012Validator
        document = json.load(open(sys.argv[1]))

        def closed(schema):
            if isinstance(schema, list):
                return [closed(item) for item in schema]
            if not isinstance(schema, dict):
                return schema
            schema = {key: closed(value) for key, value in schema.items()}
            if "properties" in schema and "type" in schema:
                schema.setdefault("additionalProperties", False)
            return schema

        components = closed(document["components"])

        def resolved(value):
            while "$ref" in value:
                found = document
                for key in value["$ref"].split("/")[1:]:
                    found = found[key]
                value = found
            return value

        count = 0
        for line in open(sys.argv[2]):
            answer = json.loads(line)
            operation = document["paths"][answer["path"]][answer["method"]]
            response = resolved(operation["responses"][str(answer["status"])])
            schema = response["content"][answer["type"]]["schema"]
            schema = {"components": components, **closed(schema)}
            Draft202012Validator.check_schema(schema)
            errors = [f"{e.json_path}: {e.message[:300]}" for e in
                      Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
                      .iter_errors(answer["body"])]
            assert not errors, (answer["method"], answer["path"], answer["status"], errors)
            count += 1
        print(count)
        """

    /// Answers of a server, each with the operation that it is of.
    private final class Answers {
        private var lines: [Data] = []
        var count: Int { lines.count }

        func add(_ response: Curl.Response, _ method: String, _ path: String, status: Int) throws {
            #expect(response.status == status, "\(method) \(path): \(response.text.prefix(500))")
            let type = response["Content-Type"]?.prefix { $0 != ";" } ?? ""
            let body = try JSONSerialization.jsonObject(with: response.body)
            lines.append(
                try JSONSerialization.data(withJSONObject: [
                    "method": method, "path": path, "status": status, "type": String(type), "body": body,
                ]))
        }

        var file: Data { Data(lines.joined(separator: Data("\n".utf8))) }
    }

    @Test("jobs in every state, lists, results, uploads and problems are what the document says, by jsonschema")
    func answers() throws {
        let answers = Answers()
        let folder = try TemporaryFolder()
        let short = try Material.syntheticVideo(frames: 6)
        let long = try Material.syntheticVideo(frames: 600, size: "640x480")
        let server = try Server("--workers", "1")
        let job = "/v1/jobs/{id}"

        let created = try server.post(
            "/v1/jobs",
            [
                "-F", "video=@\(short.path)", "-F", "roi=\(short.boxes[0])", "-F", "label.camera=7",
                "-F", "deadline_seconds=60.5", "-F", "stop_frame=5", "-F", "keyframe=target-1:3:\(short.boxes[0])",
            ])
        try answers.add(created, "post", "/v1/jobs", status: 202)
        let succeeded = try #require(try created.json()["id"] as? String)
        #expect(try server.finish(succeeded)["status"] as? String == "succeeded")
        let points = try server.submit([
            "video=@\(short.path)", "roi=\(short.boxes[0])", "tracker=points",
        ])
        #expect(try server.finish(points)["status"] as? String == "succeeded")
        let failed = try server.submit(["video=@\(short.path)", "roi=5000,5000,20,20"])
        #expect(try server.finish(failed)["status"] as? String == "failed")

        // As many targets as keep a worker busy until it is told to stop.
        let running = try server.submit(
            ["video=@\(long.path)"] + Array(repeating: "roi=\(long.boxes[0])", count: 32))
        try poll("the job to run") { try server.framesDone(running) > 0 }
        let queued = try server.submit(["video=@\(short.path)", "roi=\(short.boxes[0])"])
        try answers.add(try server.get("/v1/jobs/\(queued)/results"), "get", "\(job)/results", status: 409)
        for (id, status) in [
            (succeeded, "succeeded"), (points, "succeeded"), (failed, "failed"), (running, "running"),
            (queued, "queued"),
        ] {
            let answer = try server.get("/v1/jobs/\(id)")
            #expect(try answer.json()["status"] as? String == status)
            try answers.add(answer, "get", job, status: 200)
        }
        try answers.add(
            try server.get("/v1/jobs/\(running)/results?partial=true"), "get", "\(job)/results", status: 200)
        try answers.add(try server.post("/v1/jobs/\(running)/cancel", []), "post", "\(job)/cancel", status: 202)
        #expect(try server.finish(running)["status"] as? String == "canceled")
        try answers.add(try server.get("/v1/jobs/\(running)"), "get", job, status: 200)
        try answers.add(try server.post("/v1/jobs/\(succeeded)/cancel", []), "post", "\(job)/cancel", status: 409)

        let judged = #"{"job":"\#(succeeded)","frame":1,"boxes":[[\#(short.boxes[0])],[0,0,9,9]]}"#
        try answers.add(
            try server.post("/v1/trackability", ["-H", "Content-Type: application/json", "-d", judged]), "post",
            "/v1/trackability", status: 200)
        try answers.add(try server.get("/v1/jobs?limit=3"), "get", "/v1/jobs", status: 200)
        for id in [succeeded, points] {
            for format in ["json", "coco", "labelstudio"] {
                try answers.add(
                    try server.get("/v1/jobs/\(id)/results?format=\(format)"), "get", "\(job)/results", status: 200)
            }
        }
        try answers.add(try server.get("/v1/jobs/\(succeeded)/video"), "get", "\(job)/video", status: 202)
        let hooked = try server.submit([
            "video=@\(short.path)", "roi=\(short.boxes[0])",
            #"webhook={"url":"https://hooks.invalid/x","secret":"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}"#,
        ])
        try answers.add(try server.get("/v1/jobs/\(hooked)"), "get", job, status: 200)
        _ = try server.finish(hooked)
        try poll("an attempt to deliver") {
            try server.get("/v1/jobs/\(hooked)/deliveries").text.contains("\"number\":1")
        }
        try answers.add(
            try server.get("/v1/jobs/\(hooked)/deliveries"), "get", "\(job)/deliveries", status: 200)
        try uploads(server, answers)
        try problems(server, answers, succeeded)
        for path in ["/", "/healthz", "/readyz", "/openapi.json"] {
            try answers.add(try server.get(path, "-H", "Accept: application/json"), "get", path, status: 200)
        }

        let document = try folder.write(try server.get("/openapi.json").body, to: "openapi.json")
        let file = try folder.write(answers.file, to: "answers")
        let output = try Python.run(Self.validator, document, file)
        #expect(output.status == 0, "\(output.standardError.suffix(3_000))")
        #expect(output.text == "\(answers.count)\n")
        #expect(answers.count >= 30)
    }

    private func uploads(_ server: Server, _ answers: Answers) throws {
        let begun = try server.post(
            "/v1/uploads",
            ["-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: 9", "-H", "Upload-Metadata: filename Y2xpcC5tcDQ=,x"])
        let path = try #require(begun["Location"])
        try answers.add(try server.get(path), "get", "/v1/uploads/{id}", status: 200)
        try answers.add(
            try server.post("/v1/uploads", ["-H", "Tus-Resumable: 0.2.2"]), "post", "/v1/uploads", status: 412)
        try answers.add(
            try server.post("/v1/uploads", ["-H", "Tus-Resumable: 1.0.0"]), "post", "/v1/uploads", status: 400)
        try answers.add(
            try server.get(
                path, "-X", "PATCH", "-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Offset: 5", "-H",
                "Content-Type: application/offset+octet-stream", "--data-binary", "x"), "patch", "/v1/uploads/{id}",
            status: 409)
    }

    private func problems(_ server: Server, _ answers: Answers, _ id: String) throws {
        let job = "/v1/jobs/{id}"
        try answers.add(try server.get("/v1/jobs/x"), "get", job, status: 404)
        try answers.add(try server.get("/v1/jobs/\(id)", "-H", "If-Match: \"x\""), "get", job, status: 412)
        try answers.add(try server.get("/v1/jobs?status=x"), "get", "/v1/jobs", status: 422)
        try answers.add(try server.get("/v1/jobs/\(id)/results?format=x"), "get", "\(job)/results", status: 406)
        try answers.add(
            try server.get("/v1/jobs/\(id)/results", "-H", "Range: bytes=999999999-"), "get", "\(job)/results",
            status: 416)
        try answers.add(
            try server.post("/v1/jobs", ["-H", "Content-Type: text/plain", "-d", "x"]), "post", "/v1/jobs", status: 415)
        try answers.add(
            try server.post("/v1/jobs", ["-H", "Content-Type: application/json", "-d", "{"]), "post", "/v1/jobs",
            status: 400)
        try answers.add(
            try server.post("/v1/jobs", ["-H", "Content-Type: application/json", "-d", #"{"targets":[{"box":[1]}]}"#]),
            "post", "/v1/jobs", status: 422)
    }
}
