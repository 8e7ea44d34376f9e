import Synchronization

/// Calls a sink from the intake threads, one call at a time, and ends it once: by `finish` or by `abort`.
final class SinkRun: Sendable {
    private let sink: any HTTPBodySink
    /// Held during calls, so that an end waits for the call before it.
    private let hasEnded = Mutex(false)

    init(_ sink: any HTTPBodySink) { self.sink = sink }

    func receive(_ bytes: [UInt8]) -> HTTPResponse? {
        hasEnded.withLock { hasEnded in
            hasEnded ? nil : bytes.withUnsafeBytes { sink.receive($0) }
        }
    }

    /// `nil` where the sink was aborted before. Not under the lock: who aborts then need not wait for the disk.
    func finish() -> HTTPResponse? { end() ? sink.finish() : nil }

    func abort() {
        if end() { sink.abort() }
    }

    private func end() -> Bool {
        hasEnded.withLock { hasEnded in
            defer { hasEnded = true }
            return !hasEnded
        }
    }
}
