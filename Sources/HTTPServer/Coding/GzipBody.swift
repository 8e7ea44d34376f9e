import Synchronization

/// Another body with the content coding `gzip` (RFC 9110 §8.4.1.3), compressed while it is sent.
public final class GzipBody: HTTPBodyStream {
    private struct State {
        var input: [UInt8]
        var output: [UInt8] = []
        /// What of `output` was sent.
        var sent = 0
        var isFinished = false
    }

    /// Taken from the other body at once.
    private static let pieceBytes = 32 << 10

    private let base: any HTTPBodyStream
    private let encoder: GzipEncoder
    private let state: Mutex<State>

    /// - Returns: `nil` where there is no memory for it.
    public init?(_ base: any HTTPBodyStream) {
        guard let encoder = GzipEncoder() else { return nil }
        self.base = base
        self.encoder = encoder
        state = Mutex(State(input: [UInt8](repeating: 0, count: Self.pieceBytes)))
    }

    public var count: Int64? { nil }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try state.withLock { state in
            while state.sent == state.output.count, !state.isFinished {
                state.output.removeAll(keepingCapacity: true)
                state.sent = 0
                let count = try state.input.withUnsafeMutableBytes { try base.read(into: $0) }
                if count > 0 {
                    state.input.withUnsafeBytes { input in
                        encoder.append(UnsafeRawBufferPointer(rebasing: input[..<count]), into: &state.output)
                    }
                } else {
                    encoder.finish(into: &state.output)
                    state.isFinished = true
                }
            }
            let part = state.output[state.sent...].prefix(buffer.count)
            buffer.copyBytes(from: part)
            state.sent += part.count
            return part.count
        }
    }
}
