import Foundation

/// The server's standard error, line by line, and a way to wait for a line.
///
/// `@unchecked Sendable`: `lines` and `ended` are touched with `condition` locked only.
package final class ServerLog: @unchecked Sendable {
    package let pipe = Pipe()

    package init() {}

    private let condition = NSCondition()
    private var lines: [String] = []
    private var ended = false

    /// Begins to read on a thread of its own; ends with the process that writes.
    package func start() {
        let handle = pipe.fileHandleForReading
        try? pipe.fileHandleForWriting.close()
        Thread.detachNewThread { [self] in
            var rest = Data()
            while true {
                let bytes = handle.availableData
                rest.append(bytes)
                let parts = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                rest = Data(parts.last ?? Data())
                condition.withLock {
                    lines += parts.dropLast().map { String(decoding: $0, as: UTF8.self) }
                    ended = bytes.isEmpty
                    condition.broadcast()
                }
                if bytes.isEmpty { return }
            }
        }
    }

    package var text: String { condition.withLock { lines.joined(separator: "\n") } }

    /// The first line, there or to come, that holds the text; `nil` where the process ends or the time is over.
    package func line(containing text: String, seconds: Double = 30) -> String? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        return condition.withLock {
            while true {
                if let line = lines.first(where: { $0.contains(text) }) { return line }
                if ended || !condition.wait(until: deadline) { return nil }
            }
        }
    }
}
