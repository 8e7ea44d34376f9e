import Dispatch
import Synchronization

/// Where lines of the log go; a line is never broken up by another, nor overtaken.
///
/// Lines that may wait are gathered for a moment: under load a call of the system for each would be much of what a request
/// costs. A process that is killed loses those of its last moment.
final class LogOutput: Sendable {
    private struct State {
        var gathered: [UInt8] = []
        /// Whether somebody will write what is gathered.
        var isDue = false
    }

    private static let patience = DispatchTimeInterval.milliseconds(10)
    private static let mostGathered = 64 * 1024

    private let descriptor: Int32
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "log")

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Writes a line now.
    func write(_ line: consuming LogLine) {
        let bytes = line.ended()
        state.withLock { state in
            state.gathered += bytes
            writeOut(&state)
        }
    }

    /// Writes a line within a moment.
    func gather(_ line: consuming LogLine) {
        let bytes = line.ended()
        let isFirst = state.withLock { state in
            state.gathered += bytes
            if state.gathered.count >= Self.mostGathered { writeOut(&state) }
            defer { state.isDue = true }
            return !state.isDue
        }
        guard isFirst else { return }
        queue.asyncAfter(deadline: .now() + Self.patience) { [self] in flush() }
    }

    /// Writes what was gathered.
    func flush() {
        state.withLock { state in
            state.isDue = false
            writeOut(&state)
        }
    }

    private func writeOut(_ state: inout State) {
        guard !state.gathered.isEmpty else { return }
        _ = Console.write(state.gathered, to: descriptor)
        state.gathered.removeAll(keepingCapacity: true)
    }
}
