import CMicroHTTPD
import Synchronization

/// Gives a response's body to libmicrohttpd, piece by piece, on the connection's thread.
final class BodyReader: Sendable {
    enum Source: Sendable {
        case bytes([UInt8])
        case stream(any HTTPBodyStream)
    }

    private struct Wakening {
        var isWaiting = false
        /// `wake` was called since the last read.
        var isDue = false
    }

    private let source: Source
    private let exchange: Exchange
    private let wakening = Mutex(Wakening())

    /// What libmicrohttpd takes for the end and for an error.
    private static let end = -1
    private static let failure = -2
    /// Read at once where the body is made by a callback.
    private static let blockBytes = 64 * 1024
    /// The same where the body's size is not known: chunks go through the connection's own memory, and the block, which
    /// is there all the same, is not used.
    private static let unusedBlockBytes = 64

    init(_ source: Source, exchange: Exchange) {
        self.source = source
        self.exchange = exchange
    }

    /// A response of libmicrohttpd's that reads from here and releases this when it is destroyed.
    func makeResponse(count: Int64?) -> OpaquePointer? {
        if case .stream(let stream) = source, let live = stream as? any HTTPLiveBodyStream {
            live.attach { [weak self] in self?.wake() }
        }
        let retained = Unmanaged.passRetained(self)
        let response = MHD_create_response_from_callback(
            count.map(UInt64.init(clamping:)) ?? .max, count == nil ? Self.unusedBlockBytes : Self.blockBytes,
            { context, position, buffer, capacity in
                guard let context, let buffer else { return BodyReader.failure }
                let target = UnsafeMutableRawBufferPointer(start: buffer, count: capacity)
                return Unmanaged<BodyReader>.fromOpaque(context).takeUnretainedValue().read(position, into: target)
            }, retained.toOpaque(),
            { context in
                guard let context else { return }
                Unmanaged<BodyReader>.fromOpaque(context).release()
            })
        if response == nil { retained.release() }
        return response
    }

    private func read(_ position: UInt64, into target: UnsafeMutableRawBufferPointer) -> Int {
        guard !exchange.connection.isCut else { return Self.failure }
        switch source {
        case .bytes(let bytes):
            let start = Int(clamping: position)
            guard start < bytes.count else { return Self.end }
            let count = min(target.count, bytes.count - start)
            bytes.withUnsafeBytes {
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
            }
            return exchange.sent(count)
        case .stream(let stream):
            return read(stream, into: target)
        }
    }

    private func read(_ stream: any HTTPBodyStream, into target: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            wakening.withLock { $0.isDue = false }
            guard let count = fill(target, from: stream) else { return Self.failure }
            guard count == 0 else { return exchange.sent(count) }
            guard let live = stream as? any HTTPLiveBodyStream, live.pending() else { return Self.end }
            // Suspended under the lock: a wake in between finds either `isDue` to set or a connection to resume.
            let isOver: Bool? = wakening.withLock { wakening in
                guard !wakening.isDue else { return nil }
                guard exchange.suspendForBody() else { return true }
                wakening.isWaiting = true
                return false
            }
            if let isOver { return isOver ? Self.failure : 0 }
        }
    }

    /// - Returns: `nil` where the stream failed; the log says why.
    private func fill(_ target: UnsafeMutableRawBufferPointer, from stream: any HTTPBodyStream) -> Int? {
        do {
            let count = try stream.read(into: target)
            if count >= 0, count <= target.count { return count }
            exchange.brokeOff("\(count) bytes were put into a buffer of \(target.count)")
        } catch {
            exchange.brokeOff("\(error)")
        }
        return nil
    }

    private func wake() {
        let isWaiting = wakening.withLock { wakening in
            defer { wakening.isWaiting = false }
            wakening.isDue = true
            return wakening.isWaiting
        }
        if isWaiting { exchange.resume() }
    }
}
