import Dispatch
import Synchronization

/// Keeps one decoder process that was started ahead, so that a job need not wait until a program with two hundred
/// libraries is loaded: that takes longer than to decode a short clip.
///
/// The process has seen nothing of anybody. It waits for its one task, and restricts itself when it has it, as any other
/// decoder; it is never used again. It ends with this process, however that ends.
public final class DecoderReserve: Sendable {
    private struct Spare {
        var decoder: StartedDecoder
        var executable: String
        var arguments: [String]
        var environment: [String]

        func suits(_ command: DecoderCommand, _ environment: [String]) -> Bool {
            executable == command.executable && arguments == command.arguments && self.environment == environment
        }
    }

    private struct State {
        var spare: Spare?
        var isStarting = false
        var isClosed = false
    }
    private let state = Mutex(State())
    /// Its own, because the global ones have no thread to spare where others block theirs.
    private let queue = DispatchQueue(label: "lktrack.decoder-reserve")

    public init() {}

    /// Starts a decoder for such a command and such limits, where none waits. Returns at once.
    public func fill(for command: DecoderCommand, limits: DecodeLimits) {
        let environment = StartedDecoder.environment(limits: limits)
        let isWanted = state.withLock { state in
            let isThere = state.spare?.suits(command, environment) ?? false
            guard !isThere, !state.isStarting, !state.isClosed else { return false }
            state.isStarting = true
            return true
        }
        guard isWanted else { return }
        queue.async { [self] in
            // Where none can be started, the next job tries it itself, and says why it cannot.
            let decoder = try? StartedDecoder(command, environment: environment)
            let spare = decoder.map {
                Spare(
                    decoder: $0, executable: command.executable, arguments: command.arguments, environment: environment)
            }
            let unwanted = state.withLock { state in
                state.isStarting = false
                if state.isClosed { return spare }
                defer { state.spare = spare }
                return state.spare
            }
            unwanted?.decoder.child.end()
        }
    }

    /// The decoder that waits, where it is one of these; it is the caller's from then on.
    func take(_ command: DecoderCommand, _ environment: [String]) -> StartedDecoder? {
        state.withLock { state in
            guard let spare = state.spare, spare.suits(command, environment) else { return nil }
            state.spare = nil
            return spare.decoder
        }
    }

    /// The process that waits, for tests and logs.
    public var processIdentifier: Int32? { state.withLock { $0.spare?.decoder.child.identifier } }

    /// Ends the decoder that waits; none will be started any more.
    public func close() {
        let spare = state.withLock { state in
            state.isClosed = true
            defer { state.spare = nil }
            return state.spare
        }
        spare?.decoder.child.end()
    }
}

extension DecoderReserve: Hashable {
    public static func == (left: DecoderReserve, right: DecoderReserve) -> Bool { left === right }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
