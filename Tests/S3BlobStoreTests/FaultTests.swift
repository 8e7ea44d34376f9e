import Foundation
import Jobs
import ServiceHarness
import Synchronization
import Testing

@testable import S3BlobStore

/// What servers and networks do wrong, on real connections.
@Suite("S3BlobStore and what goes wrong")
struct FaultTests {
    private let bucket: Bucket
    private let proxy: FaultyProxy

    init() throws {
        bucket = try Bucket()
        proxy = try FaultyProxy(to: bucket.server.port)
    }

    private static func error(_ code: String) -> String {
        "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>Please go away.</Message></Error>"
    }

    @Test(
        "a put is tried again after what passes, and is there once",
        arguments: [
            FaultyProxy.Fault.answer(503, body: error("SlowDown")), .answer(500, body: error("InternalError")),
            .answer(429, body: ""), .answer(400, body: error("RequestTimeout")), .hangUp, .loseAnswer,
        ])
    func retries(_ fault: FaultyProxy.Fault) throws {
        defer { proxy.end() }
        let waits = Mutex<[Double]>([])
        let retries = S3Retries(sleep: { seconds in waits.withLock { $0.append(seconds) } }, random: { 1 })
        let store = try bucket.store(endpoint: proxy.endpoint, retries: retries)
        proxy.fail("PUT ", times: 3, fault)
        let bytes = noise(100_000)
        try store.put("a", bytes)
        #expect(proxy.count("PUT ") == 4)
        #expect(waits.withLock { $0 } == [0.1, 0.2, 0.4])
        #expect(try bucket.store().bytes("a") == bytes)
    }

    @Test("the waits double up to a longest one, and the server may ask for more")
    func waits() {
        let waits = Mutex<[Double]>([])
        let retries = S3Retries(sleep: { seconds in waits.withLock { $0.append(seconds) } }, random: { 1 })
        for attempt in 1...8 { retries.wait(after: attempt) }
        retries.wait(after: 1, asked: 2)
        retries.wait(after: 1, asked: 1000)
        #expect(waits.withLock { $0 } == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 2, 5])
    }

    @Test("what does not pass is told after the last attempt: which request, what was answered, by whom")
    func givesUp() throws {
        defer { proxy.end() }
        let store = try bucket.store(endpoint: proxy.endpoint)
        proxy.fail("PUT ", times: .max, .answer(503, body: Self.error("SlowDown")))
        let error = #expect(throws: JobsError.self) { try store.put("jobs/1/source", [1]) }
        #expect(error?.code == .unreachable)
        for part in [
            "PUT s3://\(MotoServer.bucket)/\(bucket.prefix)/jobs/1/source: 503 SlowDown: Please go away.",
            proxy.endpoint, "after 10 attempts",
        ] { #expect(error?.message.contains(part) == true, "\(error?.message ?? "")") }
        #expect(proxy.count("PUT ") == 10)
        #expect(try store.copies.store.children(of: "jobs/1").isEmpty)
    }

    @Test("a refusal is not tried again")
    func refusal() throws {
        defer { proxy.end() }
        let store = try bucket.store(endpoint: proxy.endpoint)
        proxy.fail("PUT ", .answer(403, body: Self.error("AccessDenied")))
        let error = #expect(throws: JobsError.self) { try store.put("a", [1]) }
        #expect(error?.message.contains("Allow the keys of the environment to list the bucket") == true)
        #expect(proxy.count("PUT ") == 1)
    }

    @Test("a server without space is told as storage_full")
    func full() throws {
        defer { proxy.end() }
        let store = try bucket.store(endpoint: proxy.endpoint)
        proxy.fail("PUT ", .answer(507, body: Self.error("XMinioStorageFull")))
        let error = #expect(throws: JobsError.self) { try store.put("a", [1]) }
        #expect(error?.code == .storageFull)
    }

    @Test("a put of several parts that fails leaves no part behind, here or there")
    func abortedUpload() throws {
        defer { proxy.end() }
        let store = try bucket.store(endpoint: proxy.endpoint)
        proxy.fail("partNumber=2", times: .max, .answer(403, body: Self.error("AccessDenied")))
        #expect(throws: JobsError.self) { try store.put("jobs/1/source", noise(40 << 20)) }
        #expect(try bucket.contents() == ([], []))
        #expect(try store.copies.store.children(of: "jobs/1").isEmpty)
        #expect(try store.open("jobs/1/source") == nil)
    }

    @Test("an end of an upload that fails in its body, after 200, has failed; one whose answer is lost has not")
    func lateFailure() throws {
        defer { proxy.end() }
        let store = try bucket.store(endpoint: proxy.endpoint)
        let bytes = noise(20 << 20)
        proxy.fail(
            "POST /\(MotoServer.bucket)/\(bucket.prefix)/a?uploadId", .answer(200, body: Self.error("InternalError")))
        try store.put("a", bytes)
        proxy.fail("POST /\(MotoServer.bucket)/\(bucket.prefix)/b?uploadId", .loseAnswer)
        try store.put("b", bytes)
        for key in ["a", "b"] { #expect(try bucket.store().bytes(key) == bytes) }
        #expect(try bucket.contents().uploads.isEmpty)
        proxy.fail(
            "POST /\(MotoServer.bucket)/\(bucket.prefix)/c?uploadId", .answer(200, body: Self.error("InvalidPart")))
        #expect(throws: JobsError.self) { try store.put("c", bytes) }
        #expect(try bucket.contents() == (["a", "b"], []))
    }

    @Test("a copy that fails in its body, after 200, has failed")
    func lateCopyFailure() throws {
        defer { proxy.end() }
        let store = try bucket.store(endpoint: proxy.endpoint)
        try store.put("a", [1])
        proxy.fail("x-amz-copy-source", .answer(200, body: Self.error("InternalError")))
        #expect(try store.copy("a", to: "b"))
        #expect(try bucket.store().bytes("b") == [1])
        proxy.fail("x-amz-copy-source", .answer(200, body: Self.error("AccessDenied")))
        #expect(throws: JobsError.self) { try store.copy("a", to: "c") }
    }

    @Test("a connection that is lost in the middle of a blob is made again, and goes on where it was")
    func lostConnection() throws {
        defer { proxy.end() }
        let bytes = noise(3 << 20)
        try bucket.store().put("a", bytes)
        let store = try bucket.store(endpoint: proxy.endpoint)
        let get = "GET /\(MotoServer.bucket)/\(bucket.prefix)/a"
        proxy.fail(get, times: 3, .cut(after: 700_001))
        let path = try #require(try store.localPath("a"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(bytes))
        let ranges = proxy.requests.filter { $0.hasPrefix(get) }.compactMap {
            $0.firstMatch(of: /range: bytes=([0-9]+)-/).map { String($0.output.1) }
        }
        #expect(ranges == ["0", "700001", "1400002", "2100003"])
        #expect(proxy.requests.filter { $0.hasPrefix(get) }.dropFirst().allSatisfy { $0.contains("if-match: ") })
    }

    @Test("a connection that is lost again and again is given up, and leaves no half of a copy")
    func lostForGood() throws {
        defer { proxy.end() }
        try bucket.store().put("a", noise(1 << 20))
        let store = try bucket.store(endpoint: proxy.endpoint)
        proxy.fail("GET /\(MotoServer.bucket)/\(bucket.prefix)/a", times: .max, .cut(after: 0))
        let error = #expect(throws: JobsError.self) { try store.localPath("a") }
        #expect(error?.code == .unreachable)
        #expect(try store.copies.store.openPartial("a") == nil)
        #expect(try store.copies.store.localPath("a") == nil)
    }

    @Test("bytes that are not what was put are no copy")
    func corrupted() throws {
        defer { proxy.end() }
        let store = try bucket.store()
        try store.put("a", [1, 2, 3])
        let object = store.layout.object(try BlobKey("a"))
        try store.client.put(object, Payload([1, 2, 4]), digest: Hexadecimal.sha256([1, 2, 3]))
        let error = #expect(throws: JobsError.self) { try bucket.store().localPath("a") }
        #expect(error?.code == .corrupt)
    }

    @Test("a bucket that does not answer is told at the start, and later where space is asked for")
    func health() throws {
        let store = try bucket.store(endpoint: proxy.endpoint)
        #expect(try store.availableBytes() > 0)
        proxy.end()
        proxy.fail("GET ", times: .max, .hangUp)
        // Asked only now and then.
        #expect(try store.availableBytes() > 0)
        bucket.clock.advance(6)
        let error = #expect(throws: JobsError.self) { try store.availableBytes() }
        #expect(error?.code == .unreachable)
        let atStart = #expect(throws: JobsError.self) { try bucket.store(endpoint: "http://127.0.0.1:1") }
        #expect(atStart?.code == .unreachable)
        #expect(atStart?.message.contains("http://127.0.0.1:1 does not answer") == true)
    }

    @Test("a server that speaks something else is told so")
    func otherProtocol() throws {
        defer { proxy.end() }
        proxy.fail("GET ", times: .max, .answer(200, body: "<html><body>Hello</body></html>"))
        let error = #expect(throws: JobsError.self) { try bucket.store(endpoint: proxy.endpoint) }
        #expect(error?.message.contains("does the endpoint speak S3?") == true)
    }

    @Test("a list that leads to itself again and again is given up", arguments: ["list-type=2", "uploads="])
    func endlessList(_ query: String) throws {
        defer { proxy.end() }
        let store = try bucket.store(endpoint: proxy.endpoint)
        let markers = "<NextContinuationToken>a</NextContinuationToken><NextKeyMarker>a</NextKeyMarker>"
        let root = query.hasPrefix("list") ? "ListBucketResult" : "ListMultipartUploadsResult"
        proxy.fail(
            query, times: .max, .answer(200, body: "<\(root)><IsTruncated>true</IsTruncated>\(markers)</\(root)>"))
        let error = #expect(throws: JobsError.self) { try store.removeAbandoned(olderThan: 0) }
        #expect(error?.message.contains("the list has no end") == true)
        #expect(proxy.count(query) < 10)
    }
}
