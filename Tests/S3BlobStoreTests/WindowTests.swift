import Jobs
import ServiceHarness
import Testing

@testable import S3BlobStore

@Suite("Windows of readers of a bucket")
struct WindowTests {
    private static let first = 64 << 10

    private let bucket: Bucket
    private let proxy: FaultyProxy

    init() throws {
        bucket = try Bucket()
        proxy = try FaultyProxy(to: bucket.server.port)
    }

    /// Lengths of the ranges of a blob that were asked for, in bytes, in the order of the requests.
    private func windows(_ key: String) -> [Int] {
        proxy.requests.compactMap { head -> Int? in
            guard head.hasPrefix("GET /\(MotoServer.bucket)/\(bucket.prefix)/\(key) "),
                let range = head.firstMatch(of: /range: bytes=([0-9]+)-([0-9]+)/)?.output,
                let start = Int(range.1), let last = Int(range.2)
            else { return nil }
            return last + 1 - start
        }
    }

    /// Puts a blob, from another machine.
    private func put(_ key: String, _ count: Int) throws -> [UInt8] {
        let bytes = noise(count)
        try bucket.store().put(key, bytes)
        return bytes
    }

    private func byte(_ reader: any BlobReader, at offset: Int) throws -> UInt8? {
        try [UInt8](unsafeUninitializedCapacity: 1) { buffer, count in
            count = try reader.read(into: UnsafeMutableRawBufferPointer(buffer), at: Int64(offset))
        }.first
    }

    @Test("a window grows to 2 MiB where one read follows another, and no further")
    func growth() throws {
        defer { proxy.end() }
        let bytes = try put("a", 8 << 20)
        let isWhole = try bucket.store(endpoint: proxy.endpoint).bytes("a") == bytes
        #expect(isWhole)
        #expect(windows("a") == [1, 2, 4, 8, 16, 32, 32, 32, 1].map { $0 * Self.first })
    }

    @Test("where others have all the memory there is for windows, a blob comes whole in windows of 64 KiB")
    func noneLeft() throws {
        defer { proxy.end() }
        _ = try put("a", 1 << 20)
        let bytes = try put("b", 1 << 20)
        let store = try bucket.store(endpoint: proxy.endpoint, windows: S3WindowBudget(bytes: Int64(Self.first)))
        let other = try #require(try store.open("a"))
        _ = try byte(other, at: Self.first)
        #expect(windows("a") == [Self.first, 2 * Self.first])
        let isWhole = try store.bytes("b") == bytes
        #expect(isWhole)
        #expect(windows("b") == [Int](repeating: Self.first, count: 16))
        withExtendedLifetime(other) {}
    }

    @Test("a window is as much longer as there is memory left, and grows again when there is more")
    func someLeft() throws {
        defer { proxy.end() }
        _ = try put("a", 1 << 20)
        let budget = S3WindowBudget(bytes: 100_000)
        let store = try bucket.store(endpoint: proxy.endpoint, windows: budget)
        let reader = try #require(try store.open("a"))
        let longer = Self.first + 1000
        try withExtendedLifetime(budget.take(upTo: 99_000)) {
            for offset in [Self.first, Self.first + longer] { _ = try byte(reader, at: offset) }
        }
        _ = try byte(reader, at: Self.first + 2 * longer)
        #expect(windows("a") == [Self.first, longer, longer, 2 * longer])
    }

    @Test("what a window had is given back when another takes its place, and when its reader is let go of")
    func givenBack() throws {
        defer { proxy.end() }
        let bytes = try put("a", 1 << 20)
        let whole = Int64(4 << 20)
        let budget = S3WindowBudget(bytes: whole)
        let store = try bucket.store(windows: budget)
        var reader = try store.open("a")
        for (offset, size) in [(0, 1), (1, 2), (3, 4), (7, 8), (0, 1)] {
            let opened = try #require(reader)
            #expect(try byte(opened, at: offset * Self.first) == bytes[offset * Self.first])
            #expect(budget.take(upTo: .max).bytes == whole - Int64((size - 1) * Self.first))
        }
        reader = try store.open("a")
        _ = try reader.map { try byte($0, at: Self.first) }
        #expect(budget.take(upTo: .max).bytes < whole)
        reader = nil
        #expect(budget.take(upTo: .max).bytes == whole)
    }
}
