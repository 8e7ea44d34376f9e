import Foundation
import Jobs
import Testing

@Suite("Job ids")
struct JobIDTests {
    /// A clock that can be set back, and bytes that are all the same.
    private final class FixedEnvironment: Environment {
        let date: Date
        let byte: UInt8

        init(milliseconds: Int64, byte: UInt8) {
            date = Date(unixMilliseconds: milliseconds)
            self.byte = byte
        }

        func now() -> Date { date }
        func randomBytes(_ count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }
    }

    @Test("ids grow strictly within a millisecond, also past the counter's end")
    func monotonic() {
        let generator = JobIDGenerator(environment: FixedEnvironment(milliseconds: 1_750_000_000_000, byte: 0xFF))
        let ids = (0..<10_000).map { _ in generator.next() }
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
        #expect(ids.allSatisfy { JobID($0.description) == $0 })
    }

    @Test("an id holds the time it was made at")
    func time() {
        let generator = JobIDGenerator(environment: FixedEnvironment(milliseconds: 0x0197_1234_5678, byte: 0))
        let id = generator.next()
        #expect(id.description.hasPrefix("01971234-5678-7"))
        #expect(id.unixMilliseconds == 0x0197_1234_5678)
    }
}
