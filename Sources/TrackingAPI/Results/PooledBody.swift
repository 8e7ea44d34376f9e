import HTTPServer
import Synchronization

/// A body that is made on the threads of a ``ConversionPool``, a little ahead of what is sent. While there is nothing,
/// the connection waits and no thread does; when the client leaves, the work ends.
final class PooledBody: HTTPLiveBodyStream {
    /// Made at a time.
    private static let pieceSize = 64 << 10

    /// What the body shares with its piece in the making, which may outlive it.
    private final class Making: Sendable {
        struct State {
            /// Made and not sent yet.
            var ready: ArraySlice<UInt8> = []
            var isWorking = false
            var isOver = false
            var failure: (any Error)?
            var wake: (@Sendable () -> Void)?
        }

        let state = Mutex(State())
        let isWanted = Atomic(true)
    }

    private let making = Making()
    private let base: any HTTPBodyStream
    private let pool: ConversionPool
    private let place: ConcurrencyLimit.Place

    /// - Parameter base: makes the body; is to ask its argument now and then whether that is wanted still.
    init(
        _ pool: ConversionPool, _ place: ConcurrencyLimit.Place,
        base: (_ isWanted: @escaping @Sendable () -> Bool) throws -> any HTTPBodyStream
    ) rethrows {
        self.pool = pool
        self.place = place
        self.base = try base { [making] in making.isWanted.load(ordering: .relaxed) }
    }

    deinit { making.isWanted.store(false, ordering: .relaxed) }

    var count: Int64? { base.count }

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
        if isDue { pool.submit(place.tenant) { [making, base] in Self.makePiece(of: base, for: making) } }
        return count
    }

    private static func makePiece(of base: any HTTPBodyStream, for making: Making) {
        guard making.isWanted.load(ordering: .relaxed) else { return }
        let made = Result {
            try [UInt8](unsafeUninitializedCapacity: pieceSize) { buffer, count in
                count = try base.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
        let wake = making.state.withLock { state in
            state.isWorking = false
            switch made {
            case .success(let piece):
                state.ready += piece
                state.isOver = piece.isEmpty
            case .failure(let error): state.failure = error
            }
            return state.wake
        }
        wake?()
    }
}
