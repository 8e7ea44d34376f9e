import Crypto
import Foundation
import HTTPServer
import JobStoreContract
import Jobs
import SQLiteJobStore
import Testing
import TrackingAPI

@Suite("The bytes of a resumable upload")
struct UploadBytesTests {
    private static let bytes = [(name: "Content-Type", value: "application/offset+octet-stream")]

    @Test("bytes go on where the last request ended, and come out as they went in", arguments: [[1000], [1, 7, 4096]])
    func pieces(pieces: [Int]) throws {
        let service = try Service()
        let video = Sample.video(bytes: 30_000)
        let path = try service.create(video.count)
        var offset = 0
        for size in [1, 9_999, 0, 12_345, video.count] {
            let chunk = video[offset..<min(offset + size, video.count)]
            let answer = service.patch(path, at: offset, chunk, pieces: pieces)
            offset += chunk.count
            #expect(answer.status == 204, "\(answer.text)")
            #expect(answer.route == "/v1/uploads/{id}")
            #expect(answer.body.isEmpty)
            #expect(answer.fields["Upload-Offset"] == String(offset))
            #expect(answer.fields["Upload-Expires"]?.hasSuffix(" GMT") == true)
            #expect(service.offset(path) == offset)
        }
        let job = try #require(service.track(path).jobID)
        #expect(service.send("GET", "/v1/jobs/\(job)/source").body == video)
    }

    @Test("a body of unknown length is taken")
    func chunked() throws {
        let service = try Service()
        let path = try service.create(5)
        let answer = service.patch(path, at: 0, "hello".utf8, [("Transfer-Encoding", "chunked")], pieces: [2])
        #expect(answer.fields["Upload-Offset"] == "5", "\(answer.text)")
    }

    @Test("another offset is 409 that tells the right one, and changes nothing", arguments: [0, 2, 4, 5])
    func otherOffset(offset: Int) throws {
        let service = try Service()
        let path = try service.create(5)
        #expect(service.patch(path, at: 0, "hel".utf8).status == 204)
        let answer = service.patch(path, at: offset, "XX".utf8)
        expectProblem(answer, 409, saying: "offset is 3")
        #expect(answer.fields["Upload-Offset"] == "3")
        #expect(service.patch(path, at: 3, "lo".utf8).fields["Upload-Offset"] == "5")
        #expect(try service.bytes(path) == Array("hello".utf8))
    }

    @Test(
        "a PATCH whose head is wrong is refused before its body is read",
        arguments: [
            ([("Upload-Offset", "0")], 415), ([("Upload-Offset", "0"), ("Content-Type", "application/json")], 415),
            (bytes, 400), (bytes + [("Upload-Offset", "-1")], 400), (bytes + [("Upload-Offset", "x")], 400),
            (bytes + [("Upload-Offset", "0"), ("Upload-Offset", "0")], 400),
            (bytes + [("Upload-Offset", "0"), ("Upload-Length", "x")], 400),
            (bytes + [("Upload-Offset", "0"), ("Upload-Checksum", "md5 1B2M2Y8AsgTpgAmY7PhCfg==")], 400),
            (bytes + [("Upload-Offset", "0"), ("Upload-Checksum", "sha1")], 400),
            (bytes + [("Upload-Offset", "0"), ("Upload-Checksum", "sha1 AAAA")], 400),
            (bytes + [("Upload-Offset", "0"), ("Content-Encoding", "gzip")], 415),
        ] as [([(name: String, value: String)], Int)])
    func wrongHead(fields: [(name: String, value: String)], status: Int) throws {
        let service = try Service()
        let path = try service.create(5)
        let request = Service.request("PATCH", path, HTTPFields(Service.tus + fields + [("Content-Length", "2")]))
        guard case .respond(let response) = service.api.begin(request) else {
            Issue.record("the body is taken")
            return
        }
        expectProblem(Answer(response), status)
        #expect(service.offset(path) == 0)
        #expect(try service.uploadFolders().isEmpty)
    }

    @Test("more bytes than the upload has are 413, and none of them is kept where their number was announced")
    func tooMany() throws {
        let service = try Service()
        let path = try service.create(5)
        #expect(service.patch(path, at: 0, "hel".utf8).status == 204)
        expectProblem(service.patch(path, at: 3, "lo!".utf8), 413, saying: "5 bytes")
        #expect(service.offset(path) == 3)
        let chunked = service.patch(path, at: 3, "lo!".utf8, [("Transfer-Encoding", "chunked")], pieces: [2])
        expectProblem(chunked, 413)
        #expect(service.offset(path) == 5, "what belongs there is kept")
        expectProblem(service.patch(path, at: 5, "!".utf8), 413)
        #expect(service.patch(path, at: 5, []).fields["Upload-Offset"] == "5", "nothing more is no error")
        #expect(try service.bytes(path) == Array("hello".utf8))
    }

    @Test("a body over limits.upload_bytes is refused by its length")
    func overLimit() throws {
        let service = try Service { $0.uploadBytes = 10 }
        let path = try service.create(10)
        let request = Service.request(
            "PATCH", path, HTTPFields(Service.chunk + [("Upload-Offset", "0"), ("Content-Length", "11")]))
        guard case .receive(_, let limit, let tooLarge) = service.api.begin(request) else {
            Issue.record("the body is not taken")
            return
        }
        #expect(limit == 10)
        expectProblem(Answer(tooLarge), 413, saying: "limits.upload_bytes")
        #expect(tooLarge.fields["Tus-Resumable"] == "1.0.0")
    }

    @Test("what came before a connection broke is kept, and the next one goes on from there")
    func cut() throws {
        let service = try Service()
        let video = Sample.video(bytes: 50_000)
        let path = try service.create(video.count)
        try service.cut(path, at: 0, video[..<20_000], of: video.count)
        #expect(service.offset(path) == 20_000)
        try service.cut(path, at: 20_000, [], of: video.count - 20_000)
        #expect(service.offset(path) == 20_000)
        #expect(service.patch(path, at: 20_000, video[20_000...]).status == 204)
        #expect(try service.bytes(path) == video)
    }

    @Test("a length that was told before the connection broke is kept too")
    func cutWithLength() throws {
        let service = try Service()
        let path = try service.create(nil)
        try service.cut(path, at: 0, "hel".utf8, of: 5, [("Upload-Length", "5")])
        #expect(service.offset(path) == 3)
        #expect(service.head(path).fields["Upload-Length"] == "5")
    }

    @Test("one request writes at a time: another is 423 until the first is over")
    func locked() throws {
        let service = try Service()
        let path = try service.create(5)
        let first = try service.sink("PATCH", path, Service.chunk + [("Upload-Offset", "0")], count: 5)
        #expect(first.take(Array("hel".utf8)) == nil)
        let second = service.patch(path, at: 0, "hello".utf8)
        expectProblem(second, 423)
        #expect(second.fields["Retry-After"] != nil)
        #expect(service.offset(path) == 0, "nothing is promised yet")
        #expect(first.take(Array("lo".utf8)) == nil)
        #expect(first.finish().status == 204)
        #expect(try service.bytes(path) == Array("hello".utf8))
    }

    @Test("a checksum that matches is taken, one that does not is 460 and nothing of the chunk is kept")
    func checksum() throws {
        let service = try Service()
        let video = Sample.video(bytes: 40_000)
        let path = try service.create(video.count)
        let first = Array(video[..<15_000])
        let sha1 = Data(Insecure.SHA1.hash(data: first)).base64EncodedString()
        #expect(service.patch(path, at: 0, first, [("Upload-Checksum", "sha1 \(sha1)")]).status == 204)
        let wrong = service.patch(path, at: 15_000, video[15_000...], [("Upload-Checksum", "sha1 \(sha1)")])
        expectProblem(wrong, 460, saying: "Send them again")
        #expect(service.offset(path) == 15_000)
        #expect(try service.stored(path) == 15_000)
        let sha256 = Data(SHA256.hash(data: video[15_000...])).base64EncodedString()
        let right = service.patch(path, at: 15_000, video[15_000...], [("Upload-Checksum", "sha256 \(sha256)")])
        #expect(right.fields["Upload-Offset"] == String(video.count))
        #expect(try service.bytes(path) == video)
    }

    @Test("a chunk with a checksum that is cut off is dropped as a whole")
    func cutChecksum() throws {
        let service = try Service()
        let path = try service.create(10)
        #expect(service.patch(path, at: 0, "hel".utf8).status == 204)
        let digest = Data(Insecure.SHA1.hash(data: Array("lo".utf8))).base64EncodedString()
        try service.cut(path, at: 3, "lo".utf8, of: 7, [("Upload-Checksum", "sha1 \(digest)")])
        #expect(service.offset(path) == 3)
        #expect(try service.stored(path) == 3)
    }

    @Test("a chunk with a checksum reaches the store only once it is verified, however long it takes")
    func checksumIsWhole() throws {
        let clock = ManualEnvironment()
        let service = try Service(environment: clock)
        let path = try service.create(10)
        let digest = Data(Insecure.SHA1.hash(data: Array("hello".utf8))).base64EncodedString()
        let sink = try service.sink(
            "PATCH", path, Service.chunk + [("Upload-Offset", "0"), ("Upload-Checksum", "sha1 \(digest)")], count: 5)
        #expect(sink.take(Array("hel".utf8)) == nil)
        clock.advance(60)
        #expect(sink.take(Array("lo".utf8)) == nil)
        #expect(service.offset(path) == 0)
        #expect(sink.finish().status == 204)
        #expect(service.offset(path) == 5)
    }

    @Test("a long request is made durable on the way: by time, and by size")
    func onTheWay() throws {
        let clock = ManualEnvironment()
        let service = try Service(environment: clock)
        let path = try service.create(40 << 20)
        let sink = try service.sink("PATCH", path, Service.chunk + [("Upload-Offset", "0")], count: 40 << 20)
        #expect(sink.take([1, 2, 3]) == nil)
        #expect(service.offset(path) == 0)
        clock.advance(5)
        #expect(sink.take([4]) == nil)
        #expect(service.offset(path) == 4)
        let piece = [UInt8](repeating: 7, count: 4 << 20)
        for _ in 1...3 { #expect(sink.take(piece) == nil) }
        #expect(service.offset(path) == 4)
        #expect(sink.take(piece) == nil)
        #expect(service.offset(path) == 4 + (16 << 20))
        sink.abort()
        service.api.finishUploads()
    }

    @Test("what did not become durable is not acknowledged, and is sent again")
    func notDurable() throws {
        let service = try Service()
        let path = try service.create(5)
        #expect(service.patch(path, at: 0, "hel".utf8).status == 204)
        service.blobs.failsCheckpoints.withLock { $0 = true }
        expectProblem(service.patch(path, at: 3, "??".utf8), 500)
        #expect(service.offset(path) == 3)
        service.blobs.failsCheckpoints.withLock { $0 = false }
        #expect(service.patch(path, at: 3, "lo".utf8).status == 204)
        #expect(try service.bytes(path) == Array("hello".utf8))
    }

    @Test("what was acknowledged is there for a process that starts anew, and what was not is sent again")
    func restart() throws {
        let service = try Service()
        let path = try service.create(10)
        #expect(service.patch(path, at: 0, "hel".utf8).status == 204)
        // A process that is killed leaves bytes beyond the offset.
        let id = try #require(UploadID(path: path))
        try service.append("??", to: id)
        let again = try service.restarted()
        #expect(again.offset(path) == 3)
        #expect(again.patch(path, at: 3, "lo worl".utf8).status == 204)
        #expect(try again.bytes(path) == Array("hello worl".utf8))
    }

    @Test("where the disk has lost bytes the offset is what is there", arguments: [0, 2])
    func lostBytes(left: Int64) throws {
        let service = try Service()
        let path = try service.create(5)
        #expect(service.patch(path, at: 0, "hello".utf8).status == 204)
        let id = try #require(UploadID(path: path))
        let appender = try #require(try service.blobs.resume(id.dataKey))
        try appender.rewind(to: left)
        appender.close()
        #expect(service.offset(path) == Int(left))
        expectProblem(service.track(path), 409, pointer: "#/source/upload", saying: "offset \(left)")
        expectProblem(service.patch(path, at: 5, []), 409)
        #expect(service.patch(path, at: Int(left), "hello".utf8.dropFirst(Int(left))).status == 204)
        #expect(try service.bytes(path) == Array("hello".utf8))
    }

    @Test("an upload that would touch the disk's reserve is 507, and a later one goes on from what was kept")
    func reserve() throws {
        let service = try Service { $0.diskReserveBytes = 1_000 }
        let path = try service.create(20 << 20)
        service.blobs.free.withLock { $0 = 1_100 }
        expectProblem(service.send("POST", "/v1/uploads", Service.tus + [("Upload-Length", "101")]), 507)
        #expect(service.send("POST", "/v1/uploads", Service.tus + [("Upload-Length", "100")]).status == 201)
        expectProblem(service.patch(path, at: 0, [UInt8](repeating: 1, count: 101)), 507)
        #expect(service.patch(path, at: 0, [UInt8](repeating: 1, count: 100)).status == 204)
        service.blobs.free.withLock { $0 = 999 }
        expectProblem(service.patch(path, at: 100, [3]), 507)
        #expect(service.offset(path) == 100)
    }

    @Test("a body that grows into the disk's reserve is 507, and what came before is kept")
    func reserveReached() throws {
        let service = try Service { $0.diskReserveBytes = 1_000 }
        let path = try service.create(40 << 20)
        let sink = try service.sink("PATCH", path, Service.chunk + [("Upload-Offset", "0")])
        let piece = [UInt8](repeating: 1, count: 4 << 20)
        for _ in 1...4 { #expect(sink.take(piece) == nil) }
        service.blobs.free.withLock { $0 = 999 }
        #expect(sink.take(piece) == 507)
        #expect(service.offset(path) == 16 << 20)
    }

    @Test("a full disk is 507, and what came before is kept")
    func fullDisk() throws {
        let service = try Service()
        let path = try service.create(10)
        service.blobs.fullAfter.withLock { $0 = 4 }
        expectProblem(service.patch(path, at: 0, "hello".utf8, pieces: [2]), 507)
        #expect(service.offset(path) == 4)
        service.blobs.fullAfter.withLock { $0 = .max }
        #expect(service.patch(path, at: 4, "o worl".utf8).fields["Upload-Offset"] == "10")
    }
}

extension Service {
    /// Everything that came, finished or not.
    func bytes(_ path: String) throws -> [UInt8] {
        let key = try #require(UploadID(path: path)).dataKey
        let reader = try #require(try blobs.openPartial(key) ?? blobs.open(key))
        return try [UInt8](unsafeUninitializedCapacity: Int(reader.count)) { buffer, count in
            count = try reader.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
    }

    /// Bytes on the disk, acknowledged or not.
    func stored(_ path: String) throws -> Int64? {
        let id = try #require(UploadID(path: path))
        return try blobs.openPartial(id.dataKey)?.count
    }

    func append(_ text: String, to id: UploadID) throws {
        let appender = try #require(try blobs.resume(id.dataKey))
        try Array(text.utf8).withUnsafeBytes(appender.write)
        appender.close()
    }
}
