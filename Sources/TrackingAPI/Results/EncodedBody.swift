import HTTPServer
import Jobs
import Synchronization

/// A result in one of the formats, made while it is read.
final class EncodedBody: HTTPBodyStream {
    private let stream: ResultStream
    private let pending = Mutex<ArraySlice<UInt8>>([])

    private let held: HeldText?
    private let isWanted: @Sendable () -> Bool

    /// - Parameters:
    ///   - held: what it counts in memory.
    ///   - isWanted: asked while it is made; where it is not, the body breaks off.
    init(_ stream: ResultStream, held: HeldText? = nil, isWanted: @escaping @Sendable () -> Bool) {
        self.stream = stream
        self.held = held
        self.isWanted = isWanted
    }

    var count: Int64? { nil }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try pending.withLock { pending in
            if pending.isEmpty { pending = try stream.next(isWanted: isWanted)?[...] ?? [] }
            let count = min(pending.count, buffer.count)
            buffer.copyBytes(from: pending.prefix(count))
            pending = pending.dropFirst(count)
            return count
        }
    }
}

/// The result of a job that no worker has begun.
final class NothingReader: BlobReader {
    var count: Int64 { 0 }
    var fileDescriptor: Int32? { nil }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int { 0 }
}
