import Logging
import Synchronization

/// Keeps what is logged, for a test to look at.
struct LogRecorder: LogHandler {
    struct Entry: Hashable {
        var level: Logger.Level
        var message: String
    }

    private final class Entries: Sendable {
        let all = Mutex<[Entry]>([])
    }

    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    private let recorded = Entries()

    var entries: [Entry] { recorded.all.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in self } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        recorded.all.withLock { $0.append(Entry(level: event.level, message: "\(event.message)")) }
    }
}
