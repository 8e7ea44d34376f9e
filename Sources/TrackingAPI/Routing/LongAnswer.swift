import HTTPServer
import Jobs
import Synchronization

extension Services {
    /// The text of an answer as its body. Long text counts as memory until it is sent, which a client may put off, so that
    /// answers that may be refused are to be preceded by ``requireRoom(for:of:)``; others count all the same.
    func body(_ text: [UInt8], to tenant: TenantID) -> HTTPBody {
        guard text.count > APILimits.ordinaryTextBytes else { return .bytes(text) }
        return .stream(LongAnswer(text, HeldText(textMemory, tenant: tenant, keeping: text.count)))
    }

    /// - Throws: 503 where the text is long and there is no room for it.
    func requireRoom(for bytes: Int, of tenant: TenantID) throws(Problem) {
        guard bytes <= APILimits.ordinaryTextBytes || textMemory.hasRoom(for: tenant) else {
            throw Problem(.unavailable, "Too much text of other answers waits to be read. Try again.").retryAfter(1)
        }
    }
}

/// Text that is in ``TextMemory`` for as long as it is being sent.
private final class LongAnswer: HTTPBodyStream {
    private let text: [UInt8]
    private let held: HeldText
    private let sent = Mutex(0)

    init(_ text: [UInt8], _ held: HeldText) {
        // A copy, because an array that has grown may have taken twice its bytes.
        self.text = text.withUnsafeBufferPointer { Array($0) }
        self.held = held
    }

    var count: Int64? { Int64(text.count) }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        sent.withLock { sent in
            let part = text[sent...].prefix(buffer.count)
            buffer.copyBytes(from: part)
            sent += part.count
            return part.count
        }
    }
}
