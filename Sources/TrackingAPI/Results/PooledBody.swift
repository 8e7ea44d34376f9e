import HTTPServer
import Synchronization

/// A body that is made on the threads of a ``ConversionPool``, a little ahead of what is sent. While there is nothing,
/// the connection waits and no thread does; when the client leaves, the work ends, and then the body's place is free.
final class PooledBody: HTTPLiveBodyStream {
    /// Made at a time.
    private static let pieceSize = 64 << 10

    /// What the bytes come from, and the place that this takes. A piece in the making keeps both, also when the client
    /// has left: else bodies that nobody waits for could hold every thread while others are let in.
    private final class Source: Sendable {
        let base: any HTTPBodyStream
        let place: ConcurrencyLimit.Place

        init(_ base: any HTTPBodyStream, _ place: ConcurrencyLimit.Place) {
            self.base = base
            self.place = place
        }
    }

    /// What the body shares with its piece in the making, which may outlive it.
    private final class Making: Sendable {
        struct State {
            /// Made and not sent yet.
            var ready: ArraySlice<UInt8> = []
            /// Bytes that are not made yet; `nil`: as many as come.
            var left: Int64?
            var isWorking = false
            var failure: (any Error)?
            var wake: (@Sendable () -> Void)?

            /// Whether everything was made.
            var isOver: Bool { left == 0 }

            /// - Parameter piece: empty at the end.
            mutating func append(_ piece: [UInt8]) {
                ready += piece
                left = piece.isEmpty ? 0 : left.map { max(0, $0 - Int64(piece.count)) }
            }
        }

        let state = Mutex(State())
        let isWanted = Atomic(true)
    }

    private let making = Making()
    private let source: Source
    private let pool: ConversionPool

    /// - Parameter base: makes the body; is to ask its argument now and then whether that is wanted still.
    init(
        _ pool: ConversionPool, _ place: ConcurrencyLimit.Place,
        base: (_ isWanted: @escaping @Sendable () -> Bool) throws -> any HTTPBodyStream
    ) rethrows {
        self.pool = pool
        source = Source(try base { [making] in making.isWanted.load(ordering: .relaxed) }, place)
        let count = source.base.count
        making.state.withLock { $0.left = count }
    }

    deinit { making.isWanted.store(false, ordering: .relaxed) }

    var count: Int64? { source.base.count }

    /// There are few of them, and clients that take one slice after the other.
    var endsConnection: Bool { false }

    func attach(wake: @escaping @Sendable () -> Void) { making.state.withLock { $0.wake = wake } }

    func pending() -> Bool {
        making.state.withLock { !$0.isOver || !$0.ready.isEmpty || $0.failure != nil }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let (count, isDue) = try making.state.withLock { state in
            if state.ready.isEmpty, let failure = state.failure { throw failure }
            let count = min(state.ready.count, buffer.count)
            buffer.copyBytes(from: state.ready.prefix(count))
            state.ready = count == state.ready.count ? [] : state.ready.dropFirst(count)
            let isDue =
                state.ready.count < Self.pieceSize && !state.isWorking && !state.isOver && state.failure == nil
            if isDue { state.isWorking = true }
            return (count, isDue)
        }
        if isDue { makeLater() }
        return count
    }

    /// Not where the client has left before its turn.
    private func makeLater() {
        pool.submit(source.place.tenant) { [making, weak source = self.source] in
            guard let source else { return }
            withExtendedLifetime(source) { Self.makePiece(of: source.base, for: making) }
        }
    }

    private static func makePiece(of base: any HTTPBodyStream, for making: Making) {
        let made = Result {
            try [UInt8](unsafeUninitializedCapacity: pieceSize) { buffer, count in
                count = try base.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
        let wake = making.state.withLock { state in
            state.isWorking = false
            switch made {
            case .success(let piece): state.append(piece)
            case .failure(let error): state.failure = error
            }
            return state.wake
        }
        wake?()
    }
}
