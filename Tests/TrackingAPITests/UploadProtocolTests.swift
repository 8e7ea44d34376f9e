import Foundation
import HTTPServer
import JobStoreContract
import Jobs
import Testing
import TrackingAPI

@Suite("The protocol of resumable uploads (tus 1.0.0)")
struct UploadProtocolTests {
    static let nowhere = "/v1/uploads/0197a0b1-0000-7000-8000-000000000000"

    @Test("OPTIONS tells what is spoken here, to anybody, whatever version they speak")
    func options() throws {
        let service = try Service { $0.uploadBytes = 1234 }
        for (path, fields) in [("/v1/uploads", []), (Self.nowhere, [("Tus-Resumable", "0.2.0")])] {
            let answer = service.send("OPTIONS", path, fields)
            #expect(answer.status == 204)
            #expect(answer.fields["Tus-Resumable"] == "1.0.0")
            #expect(answer.fields["Tus-Version"] == "1.0.0")
            #expect(answer.fields["Tus-Max-Size"] == "1234")
            #expect(answer.fields["Tus-Checksum-Algorithm"] == "sha1,sha256")
            #expect(
                answer.fields["Tus-Extension"]
                    == "creation,creation-with-upload,creation-defer-length,termination,expiration,checksum")
        }
        #expect(service.send("OPTIONS", "/v1/uploads").fields["Allow"] == "POST, OPTIONS")
        #expect(service.send("OPTIONS", Self.nowhere).fields["Allow"] == "GET, HEAD, PATCH, DELETE, OPTIONS")
        #expect(service.send("OPTIONS", "/v1/jobs").fields["Tus-Resumable"] == nil)
    }

    @Test("every answer names the version, errors and refusals of the router included")
    func versionEverywhere() throws {
        let service = try Service { $0.uploadBytes = 10 }
        let path = try service.create(10)
        let answers = [
            service.head(path), service.send("GET", path), service.patch(path, at: 0, [1, 2]),
            service.patch(path, at: 9, []), service.head(Self.nowhere), service.send("PUT", path, Service.tus),
            service.send("POST", "/v1/uploads?x=1", Service.tus), service.send("GET", "/v1/uploads"),
            service.patch(path, at: 2, [UInt8](repeating: 0, count: 11)), service.send("DELETE", path, Service.tus),
        ]
        #expect(answers.map(\.status) == [200, 200, 204, 409, 404, 405, 422, 405, 413, 204])
        #expect(answers.allSatisfy { $0.fields["Tus-Resumable"] == "1.0.0" })
    }

    @Test(
        "another version, or none, is 412 with the one that is spoken, and nothing happens",
        arguments: [[], [("Tus-Resumable", "0.2.2")], [("Tus-Resumable", "1.0.0"), ("Tus-Resumable", "1.0.0")]])
    func otherVersion(fields: [(name: String, value: String)]) throws {
        let service = try Service()
        let path = try service.create(10)
        let body: [(name: String, value: String)] =
            fields + [("Content-Type", "application/offset+octet-stream"), ("Upload-Offset", "0")]
        let answers = [
            service.send("POST", "/v1/uploads", fields + [("Upload-Length", "5")]), service.head(path, fields),
            service.send("PATCH", path, body, body: [1, 2]), service.send("DELETE", path, fields),
        ]
        for answer in answers {
            expectProblem(answer, 412, saying: "1.0.0")
            #expect(answer.fields["Tus-Version"] == "1.0.0")
            #expect(answer.fields["Tus-Resumable"] == "1.0.0")
        }
        #expect(service.offset(path) == 0)
        #expect(service.send("GET", path).status == 200, "a plain GET is no request of tus's")
    }

    @Test("an upload is created with its length and what is known of it, and tells them again")
    func creation() throws {
        let service = try Service()
        let metadata = "filename bcO2Lm1wNA==,filetype dmlkZW8vbXA0,private"
        let answer = service.send(
            "POST", "/v1/uploads", Service.tus + [("Upload-Length", "100"), ("Upload-Metadata", metadata)])
        #expect(answer.status == 201, "\(answer.text)")
        #expect(answer.route == "/v1/uploads")
        let path = try #require(answer.fields["Location"])
        #expect(answer.fields["Upload-Expires"]?.hasSuffix(" GMT") == true)

        let head = service.head(path)
        #expect(head.status == 200)
        #expect(head.route == "/v1/uploads/{id}")
        #expect(head.fields["Upload-Offset"] == "0")
        #expect(head.fields["Upload-Length"] == "100")
        #expect(head.fields["Upload-Defer-Length"] == nil)
        #expect(head.fields["Upload-Metadata"] == metadata)
        #expect(head.fields["Upload-Expires"] == answer.fields["Upload-Expires"])
        #expect(head.fields["Cache-Control"] == "no-store")

        let document = service.send("GET", path).json
        #expect(document?["offset"] == 0)
        #expect(document?["length"] == 100)
        #expect(document?["complete"] == false)
        #expect(document?["metadata"]?["filename"] == "mö.mp4")
        #expect(document?["metadata"]?["private"] == "")
        #expect(document?["links"]?["self"]?.stringValue == path)
    }

    @Test(
        "a creation that is wrong is told what is, and leaves nothing behind",
        arguments: [
            ([], 400, "Upload-Length"), ([("Upload-Length", "-1")], 400, "Upload-Length"),
            ([("Upload-Length", "1.5")], 400, "Upload-Length"), ([("Upload-Length", "")], 400, "Upload-Length"),
            ([("Upload-Length", "99999999999999999999")], 400, "Upload-Length"),
            ([("Upload-Length", "5"), ("Upload-Length", "5")], 400, "2 times"),
            ([("Upload-Length", "5"), ("Upload-Defer-Length", "1")], 400, "Either"),
            ([("Upload-Defer-Length", "0")], 400, "Upload-Defer-Length"),
            ([("Upload-Length", "1001")], 413, "limits.upload_bytes"),
            ([("Upload-Length", "5"), ("Upload-Metadata", "a YQ==,a Yg==")], 400, "twice"),
            ([("Upload-Length", "5"), ("Upload-Metadata", "a !!")], 400, "Base64"),
            ([("Upload-Length", "5"), ("Upload-Metadata", ",")], 400, "Upload-Metadata"),
            ([("Upload-Length", "5"), ("Upload-Metadata", "ä YQ==")], 400, "Upload-Metadata"),
            ([("Upload-Length", "5"), ("Upload-Metadata", "\u{3000}a YQ==")], 400, "Upload-Metadata"),
            (
                [("Upload-Length", "5"), ("Upload-Metadata", "a " + String(repeating: "YWFh", count: 3000))], 431,
                "8192"
            ),
            // a and 31 acute accents.
            (
                [("Upload-Length", "5"), ("Upload-Metadata", "a YcyB" + String(repeating: "zIHMgcyB", count: 10))], 400,
                "marks"
            ),
            ([("Upload-Length", "5"), ("Upload-Checksum", "sha1 x")], 400, "Upload-Checksum"),
        ] as [([(name: String, value: String)], Int, String)])
    func wrongCreation(fields: [(name: String, value: String)], status: Int, words: String) throws {
        let clock = ManualEnvironment()
        let service = try Service(environment: clock) { $0.uploadBytes = 1000 }
        let answer = service.send("POST", "/v1/uploads", Service.tus + fields)
        expectProblem(answer, status, saying: words)
        #expect(try service.hasNoUploads(clock))
    }

    @Test("metadata without a value, without any, or with bytes that are no text is taken")
    func odd() throws {
        let service = try Service()
        for metadata in ["", "private", "a /w==,b", "a YQ== , b Yg==", "a YQ==,\tb Yg=="] {
            let path = try service.create(5, [("Upload-Metadata", metadata)])
            // No field of an answer has a tab.
            let sent = metadata.isEmpty ? nil : metadata.replacingOccurrences(of: "\t", with: " ")
            #expect(service.head(path).fields["Upload-Metadata"] == sent)
        }
        let path = try service.create(5, [("Upload-Metadata", "a /w==")])
        #expect(service.send("GET", path).json?["metadata"]?["a"] == .null)
    }

    @Test("the first bytes may come with the creation")
    func creationWithUpload() throws {
        let service = try Service()
        let answer = service.send(
            "POST", "/v1/uploads", Service.chunk + [("Upload-Length", "5")], body: Array("hel".utf8), pieces: [2])
        #expect(answer.status == 201, "\(answer.text)")
        #expect(answer.fields["Upload-Offset"] == "3")
        let path = try #require(answer.fields["Location"])
        #expect(service.offset(path) == 3)
        #expect(service.patch(path, at: 3, "lo".utf8).fields["Upload-Offset"] == "5")
        #expect(service.send("GET", path).json?["complete"] == true)
    }

    @Test("a creation whose body is refused creates nothing", arguments: [415, 413, 460, 507])
    func refusedCreation(status: Int) throws {
        let clock = ManualEnvironment()
        let service = try Service(environment: clock)
        var fields = Service.chunk + [("Upload-Length", "5")]
        var body = Array("hello".utf8)
        switch status {
        case 415: fields = Service.tus + [("Upload-Length", "5"), ("Content-Type", "text/plain")]
        case 413: body += body
        case 460: fields.append(("Upload-Checksum", "sha1 " + Data(count: 20).base64EncodedString()))
        default: service.blobs.fullAfter.withLock { $0 = 2 }
        }
        expectProblem(service.send("POST", "/v1/uploads", fields, body: body, pieces: [2]), status)
        #expect(try service.hasNoUploads(clock))
    }

    @Test("a creation that is cut off leaves nothing behind: nobody knows its address")
    func cutCreation() throws {
        let clock = ManualEnvironment()
        let service = try Service(environment: clock)
        let sink = try service.sink("POST", "/v1/uploads", Service.chunk + [("Upload-Length", "5")], count: 5)
        #expect(sink.take([1, 2]) == nil)
        #expect(try service.uploadFolders().count == 1)
        sink.abort()
        service.api.finishUploads()
        #expect(try service.hasNoUploads(clock))
    }

    @Test("a length may be told late, once, and not less than is there or more than is taken")
    func deferredLength() throws {
        let service = try Service { $0.uploadBytes = 100 }
        let path = try service.create(nil)
        #expect(service.head(path).fields["Upload-Defer-Length"] == "1")
        #expect(service.head(path).fields["Upload-Length"] == nil)
        #expect(service.patch(path, at: 0, "abc".utf8).fields["Upload-Offset"] == "3")
        expectProblem(service.patch(path, at: 3, "d".utf8, [("Upload-Length", "2")]), 400, saying: "3 bytes")
        expectProblem(service.patch(path, at: 3, "d".utf8, [("Upload-Length", "101")]), 413)
        expectProblem(service.patch(path, at: 3, [UInt8](repeating: 0, count: 98)), 413)
        #expect(service.offset(path) == 3)
        #expect(service.patch(path, at: 3, "d".utf8, [("Upload-Length", "6")]).status == 204)
        #expect(service.head(path).fields["Upload-Length"] == "6")
        #expect(service.head(path).fields["Upload-Defer-Length"] == nil)
        expectProblem(service.patch(path, at: 4, "e".utf8, [("Upload-Length", "7")]), 400, saying: "for good")
        #expect(service.patch(path, at: 4, "ef".utf8, [("Upload-Length", "6")]).fields["Upload-Offset"] == "6")
        #expect(service.send("GET", path).json?["complete"] == true)
    }

    @Test("a length may be told with no bytes at all")
    func lengthAlone() throws {
        let service = try Service()
        let path = try service.create(nil)
        #expect(service.patch(path, at: 0, "abc".utf8).status == 204)
        #expect(service.patch(path, at: 3, [], [("Upload-Length", "3")]).fields["Upload-Offset"] == "3")
        #expect(service.send("GET", path).json?["complete"] == true)
    }

    @Test("POST stands for a method that the client cannot send")
    func methodOverride() throws {
        let service = try Service()
        let path = try service.create(5)
        let override = { (method: String) in [(name: "X-HTTP-Method-Override", value: method)] }
        let patched = service.send(
            "POST", path, Service.chunk + override("PATCH") + [("Upload-Offset", "0")], body: Array("hello".utf8))
        #expect(patched.status == 204, "\(patched.text)")
        #expect(patched.fields["Upload-Offset"] == "5")
        #expect(service.send("POST", path, Service.tus + override("HEAD")).fields["Upload-Offset"] == "5")
        expectProblem(service.send("POST", path, override("DELETE")), 412)
        expectProblem(service.send("POST", path, Service.tus + override("BREW")), 405)
        #expect(service.send("POST", path, Service.tus + override("DELETE")).status == 204)
        #expect(service.head(path).status == 404)
        let job = try service.submit()
        expectProblem(service.send("POST", "/v1/jobs/\(job)", override("DELETE")), 405)
    }

    @Test("a text that is no id names no upload", arguments: ["x", "", "0197A0B1-0000-7000-8000-000000000000"])
    func noID(text: String) throws {
        let service = try Service()
        #expect(service.head("/v1/uploads/\(text)").status == 404)
        #expect(service.patch("/v1/uploads/\(text)", at: 0, [1]).status == 404)
        #expect(service.send("DELETE", "/v1/uploads/\(text)", Service.tus).status == 404)
    }

    @Test("a service that stops takes no uploads and no bytes, and says so before they are sent")
    func stopping() throws {
        let service = try Service(health: ServiceHealth(workersExpected: 1, workersAlive: 1, isStopping: true))
        for (method, path) in [("POST", "/v1/uploads"), ("PATCH", Self.nowhere)] {
            let answer = service.send(
                method, path, Service.chunk + [("Upload-Length", "5"), ("Upload-Offset", "0")], body: [1])
            expectProblem(answer, 503)
            #expect(answer.fields["Retry-After"] != nil)
        }
    }
}
