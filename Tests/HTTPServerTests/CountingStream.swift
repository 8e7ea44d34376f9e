import Foundation
import HTTPServer
import Synchronization

/// Bytes made on demand: the number of each position, modulo 251.
final class CountingStream: HTTPBodyStream {
    let count: Int64?
    private let total: Int
    private let failsAt: Int?
    private let position = Mutex(0)

    init(_ total: Int, announced: Bool = true, failsAt: Int? = nil) {
        self.total = total
        self.failsAt = failsAt
        count = announced ? Int64(total) : nil
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try position.withLock { position in
            if let failsAt, position >= failsAt { throw CancellationError() }
            let count = min(buffer.count, (failsAt ?? total) - position)
            for index in 0..<count { buffer[index] = UInt8((position + index) % 251) }
            position += count
            return count
        }
    }

    static func bytes(_ total: Int) -> Data { Data((0..<total).map { UInt8($0 % 251) }) }
}
