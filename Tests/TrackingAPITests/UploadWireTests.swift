import Crypto
import Foundation
import HTTPServer
import JobStoreContract
import Jobs
import Testing
import TrackingAPI

/// Resumable uploads behind the real server, as `curl` sees them.
@Suite("Resumable uploads over the wire")
struct UploadWireTests {
    private static let tus = ["-H", "Tus-Resumable: 1.0.0"]
    private static let patch =
        tus + ["-X", "PATCH", "-H", "Content-Type: application/offset+octet-stream"]

    /// The value of a field in a head.
    private static func field(_ name: String, _ reply: Wire.Reply) -> String? {
        reply.head.split(separator: "\r\n").first { $0.hasPrefix(name + ": ") }.map {
            String($0.dropFirst(name.utf8.count + 2))
        }
    }

    private static func create(_ wire: Wire, _ length: Int) throws -> String {
        let reply = try wire.curl("/v1/uploads", tus + ["-X", "POST", "-H", "Upload-Length: \(length)"])
        #expect(reply.status == 201)
        _ = try wire.summary()
        return try #require(field("Location", reply))
    }

    private static func offset(_ wire: Wire, _ path: String) throws -> String? {
        let reply = try wire.curl(path, tus + ["-I"])
        #expect(reply.status == 200)
        #expect(field("Cache-Control", reply) == "no-store")
        _ = try wire.summary()
        return field("Upload-Offset", reply)
    }

    @Test("what the server refuses by itself says that tus is spoken here, where it is", arguments: [true, false])
    func refusals(isUpload: Bool) async throws {
        let path = isUpload ? "/v1/uploads" : "/v1/jobs"
        try await Wire.run(try Service()) { wire in
            for (arguments, status) in [
                (["-H", "Expect: wonders"], 417), (["-H", "Host:"], 400),
                (["-H", "X: \(String(repeating: "y", count: HTTPServerConfiguration().headBytes))"], 431),
            ] {
                let reply = try wire.curl(path, Self.tus + arguments)
                #expect(reply.status == status)
                #expect(Self.field("Tus-Resumable", reply) == (isUpload ? "1.0.0" : nil), "\(arguments[1].prefix(40))")
                _ = try wire.summary()
            }
        }
    }

    @Test("OPTIONS, POST, PATCH, HEAD and DELETE go through as tus has them")
    func methods() async throws {
        try await Wire.run(try Service()) { wire in
            let options = try wire.curl("/v1/uploads", "-X", "OPTIONS")
            #expect(options.status == 204)
            #expect(Self.field("Tus-Version", options) == "1.0.0")
            _ = try wire.summary()
            let video = Sample.video(bytes: 3_000_000)
            let path = try Self.create(wire, video.count)
            for range in [0..<1_000_000, 1_000_000..<video.count] {
                #expect(try Self.offset(wire, path) == String(range.lowerBound))
                let piece = try wire.file("piece", Array(video[range]))
                let reply = try wire.curl(
                    path, Self.patch + ["-H", "Upload-Offset: \(range.lowerBound)", "--data-binary", "@\(piece)"])
                #expect(reply.status == 204)
                #expect(Self.field("Upload-Offset", reply) == String(range.upperBound))
                #expect(Self.field("Tus-Resumable", reply) == "1.0.0")
                let summary = try wire.summary()
                #expect(summary.method == "PATCH" && summary.route == "/v1/uploads/{id}")
            }
            let isWhole = try wire.service.bytes(path) == video
            #expect(isWhole)
            #expect(try wire.curl(path, Self.tus + ["-X", "DELETE"]).status == 204)
            #expect(try wire.curl(path, Self.tus + ["-I"]).status == 404)
        }
    }

    @Test("a PATCH whose client gives up half-way keeps what arrived, one with a checksum nothing")
    func cut() async throws {
        try await Wire.run(try Service()) { wire in
            let video = Sample.video(bytes: 4_000_000)
            let file = try wire.file("clip.mp4", video)
            for isChecked in [true, false] {
                let path = try Self.create(wire, video.count)
                let digest = Data(Insecure.SHA1.hash(data: video)).base64EncodedString()
                let reply = try wire.curl(
                    path,
                    Self.patch + (isChecked ? ["-H", "Upload-Checksum: sha1 \(digest)"] : [])
                        + ["-H", "Upload-Offset: 0", "-T", file, "--limit-rate", "1M", "-m", "1"])
                #expect(reply.exitCode == 28)
                #expect(try wire.summary().isComplete == false)
                wire.service.api.finishUploads()
                let offset = try #require(try Self.offset(wire, path).flatMap { Int($0) })
                #expect(isChecked ? offset == 0 : offset > 0 && offset < video.count)
                let isPrefix = try wire.service.bytes(path) == Array(video[..<offset])
                #expect(isPrefix)
            }
        }
    }

    @Test("a refusal is read by the client, however much it still wanted to send")
    func refusals() async throws {
        try await Wire.run(try Service { $0.uploadBytes = 2 << 20 }) { wire in
            let large = try wire.file("large", [UInt8](repeating: 1, count: 3 << 20))
            let fitting = try wire.file("fitting", [UInt8](repeating: 1, count: 2 << 20))
            let path = try Self.create(wire, 2 << 20)
            let announced = ["-H", "Upload-Offset: 0", "--data-binary", "@\(large)"]
            for (arguments, status) in [
                (announced, 413), (announced + ["-H", "Transfer-Encoding: chunked"], 413),
                (["-H", "Upload-Offset: 7", "--data-binary", "@\(fitting)"], 409),
                (
                    ["-H", "Upload-Checksum: sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA="]
                        + ["-H", "Upload-Offset: 0", "--data-binary", "@\(fitting)"], 460
                ),
            ] {
                let path = status == 413 ? try Self.create(wire, 2 << 20) : path
                let reply = try wire.curl(path, Self.patch + arguments)
                #expect(reply.status == status, "\(reply.head)")
                #expect(reply.head.contains("application/problem+json"))
                #expect(Self.field("Tus-Resumable", reply) == "1.0.0")
                #expect(reply.json?["status"]?.intValue == status)
                _ = try wire.summary()
            }
            #expect(try Self.offset(wire, path) == "0")
        }
    }
}
