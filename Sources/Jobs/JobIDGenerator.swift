import Foundation
import Synchronization

/// Makes job ids that grow strictly, also within a millisecond and when the clock is set back: the 12 bits after the
/// time stamp are a counter that starts at a random number below 2048 (RFC 9562 §6.2, method 1).
public final class JobIDGenerator: Sendable {
    private struct Last {
        var milliseconds: UInt64 = 0
        var counter: UInt16 = 0
    }

    private static let counterLimit: UInt16 = 0x0FFF

    private let environment: any Environment
    private let last = Mutex(Last())

    public init(environment: any Environment = SystemEnvironment()) { self.environment = environment }

    public func next() -> JobID {
        let now = UInt64(max(environment.now().unixMilliseconds, 0))
        var random = environment.randomBytes(10)
        let seed = UInt16(random[0] & 0x07) << 8 | UInt16(random[1])
        let stamp = last.withLock { last in
            if now > last.milliseconds {
                last = Last(milliseconds: now, counter: seed)
            } else if last.counter < Self.counterLimit {
                last.counter += 1
            } else {
                last = Last(milliseconds: last.milliseconds + 1, counter: seed)
            }
            return last
        }
        random[0] = UInt8(stamp.counter >> 8)
        random[1] = UInt8(stamp.counter & 0xFF)
        return JobID(milliseconds: stamp.milliseconds, random: random)
    }
}
