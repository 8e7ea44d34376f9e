import Dispatch
import HTTPServer
import Jobs
import Synchronization
import Testing

@testable import TrackingAPI

/// Bodies whose bytes are long in coming, and what they hold meanwhile.
@Suite("Bodies that are made on the threads of a pool", .timeLimit(.minutes(10)))
struct PooledBodyTests {
    private static let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    /// In one piece.
    private static let few = Array(bytes.prefix(1000))

    /// - Throws: where there is no place for the body.
    private static func send(
        _ stream: SlowStream, _ pool: ConversionPool, _ tenant: TenantID = .anonymous
    ) throws -> LiveClient {
        let body = try pool.body(for: tenant) { _ in stream }
        return try LiveClient(HTTPResponse(status: 200, body: .stream(body)))
    }

    /// Returns when a pool of one thread has done all that was asked of it before.
    private static func settle(_ pool: ConversionPool) {
        let done = DispatchSemaphore(value: 0)
        pool.submit(.anonymous) { done.signal() }
        #expect(done.wait(timeout: .now() + 30) == .success)
    }

    @Test("a client that leaves while its body is read keeps the place until the read has ended")
    func leftInRead() throws {
        let pool = ConversionPool(threads: 1, bodies: 1)
        let stream = SlowStream(Self.bytes, isHeld: true)
        do {
            let client = try Self.send(stream, pool)
            client.take()
            #expect(stream.awaitRead())
            withExtendedLifetime(client) {}
        }
        #expect(throws: Problem.self) { _ = try Self.send(SlowStream(Self.few), pool) }
        stream.release()
        Self.settle(pool)
        #expect(stream.reads == 1)
        #expect(try Self.send(SlowStream(Self.few), pool).takeAll())
    }

    @Test("for a client that leaves before its turn nothing is read, and its place is free at once")
    func leftInQueue() throws {
        let pool = ConversionPool(threads: 1, bodies: 2)
        let (first, second) = (SlowStream(Self.bytes, isHeld: true), SlowStream(Self.bytes))
        let client = try Self.send(first, pool)
        client.take()
        #expect(first.awaitRead())
        do {
            let other = try Self.send(second, pool)
            other.take()
        }
        let third = try Self.send(SlowStream(Self.few), pool)
        first.release()
        Self.settle(pool)
        #expect(second.reads == 0)
        #expect(client.takeAll() && third.takeAll())
    }

    @Test("more bodies than there are threads all come whole")
    func moreThanThreads() throws {
        let pool = ConversionPool(threads: 2, bodies: 12)
        let streams = (0..<12).map { SlowStream(Self.bytes, isCountKnown: $0 % 2 == 0, isHeld: true) }
        let clients = try streams.map { try Self.send($0, pool) }
        for client in clients { client.take() }
        for stream in streams { stream.release() }
        for client in clients {
            #expect(client.takeAll())
            let isWhole = client.bytes == Self.bytes
            #expect(isWhole)
        }
    }

    @Test("tenants take turns, however many bodies one of them is sent")
    func turns() throws {
        let pool = ConversionPool(threads: 1, bodies: 8)
        let order = Mutex<[String]>([])
        let (a, b) = (TenantID("a"), TenantID("b"))
        var streams: [SlowStream] = []
        for name in ["a1", "a2", "a3", "b1"] {
            streams.append(SlowStream(Self.few, isHeld: name == "a1") { order.withLock { $0.append(name) } })
        }
        let clients = try zip(streams, [a, a, a, b]).map { try Self.send($0, pool, $1) }
        clients[0].take()
        #expect(streams[0].awaitRead())
        for client in clients { client.take() }
        streams[0].release()
        for client in clients { #expect(client.takeAll()) }
        #expect(order.withLock { $0 } == ["a1", "a2", "b1", "a3"])
    }

    @Test("a body whose length is known has no turn only to find its end")
    func noTurnForEnd() throws {
        let pool = ConversionPool(threads: 1, bodies: 1)
        for (count, isCountKnown, reads) in [(0, true, 0), (0, false, 1), (100_000, true, 2), (100_000, false, 3)] {
            let stream = SlowStream(Array(Self.bytes.prefix(count)), isCountKnown: isCountKnown)
            do {
                let client = try Self.send(stream, pool)
                #expect(client.takeAll() && client.bytes.count == count)
            }
            Self.settle(pool)
            #expect(stream.reads == reads, "\(count), \(isCountKnown)")
        }
    }

    @Test("a read that fails cuts the body off, after what was read before")
    func failing() throws {
        let pool = ConversionPool(threads: 1, bodies: 1)
        let client = try Self.send(SlowStream(Self.bytes, failsAt: 70_000), pool)
        #expect(!client.takeAll() && client.isCut)
        let isStart = client.bytes == Array(Self.bytes.prefix(70_000))
        #expect(isStart)
    }
}

/// A body whose reads may have to wait for the test.
private final class SlowStream: HTTPBodyStream {
    private struct State {
        var position = 0
        var reads = 0
    }

    let count: Int64?
    private let bytes: [UInt8]
    private let failsAt: Int?
    private let onRead: @Sendable () -> Void
    private let state = Mutex(State())
    private let arrived = DispatchSemaphore(value: 0)
    private let released: DispatchSemaphore

    /// - Parameters:
    ///   - isHeld: reads wait for ``release()``.
    ///   - failsAt: how many bytes can be read.
    init(
        _ bytes: [UInt8], isCountKnown: Bool = true, isHeld: Bool = false, failsAt: Int? = nil,
        onRead: @escaping @Sendable () -> Void = {}
    ) {
        self.bytes = bytes
        self.failsAt = failsAt
        self.onRead = onRead
        count = isCountKnown ? Int64(bytes.count) : nil
        released = DispatchSemaphore(value: 0)
        if !isHeld { released.signal() }
    }

    /// That were begun.
    var reads: Int { state.withLock { $0.reads } }

    /// Returns when a read was begun; false where none is.
    func awaitRead() -> Bool { arrived.wait(timeout: .now() + 30) == .success }

    /// Lets all reads go on.
    func release() { released.signal() }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        state.withLock { $0.reads += 1 }
        onRead()
        arrived.signal()
        if released.wait(timeout: .now() + 30) == .success { released.signal() }
        return try state.withLock { state in
            if let failsAt, state.position >= failsAt { throw CancellationError() }
            let piece = bytes[state.position..<(failsAt ?? bytes.count)].prefix(buffer.count)
            buffer.copyBytes(from: piece)
            state.position += piece.count
            return piece.count
        }
    }
}
