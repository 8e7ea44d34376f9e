import Foundation
import Testing
import Webhooks

@Suite("When a message is sent again")
struct RetryScheduleTests {
    let schedule = RetrySchedule()
    let end = Date(timeIntervalSince1970: 1_750_000_000)

    private func wait(_ attempt: Int, fraction: Double = 0, retryAfter: Double? = nil, age: Double = 0) -> Double? {
        let now = end.addingTimeInterval(age)
        return schedule.next(after: attempt, of: end, now: now, retryAfter: retryAfter, fraction: fraction)?
            .timeIntervalSince(now)
    }

    @Test("each wait is twice as long as the one before, up to an hour, and at least half of that by chance")
    func growth() {
        #expect((1...4).map { wait($0) } == [2.5, 5, 10, 20])
        #expect(wait(3, fraction: 0.5) == 15)
        #expect(wait(20) == 1800)
        #expect(wait(1_000_000) == 1800)
    }

    @Test("the receiver's Retry-After is kept to, where it is longer")
    func retryAfter() {
        #expect(wait(1, retryAfter: 120) == 120)
        #expect(wait(8, retryAfter: 1) == 320)
    }

    @Test("the last attempt is a day after the job's end, and none comes after it")
    func lastAttempt() {
        #expect(wait(30, age: 86_000) == 400)
        #expect(wait(1, retryAfter: 1_000_000) == 86_400)
        #expect(wait(31, age: 86_400) == nil)
        #expect(wait(1, age: 1_000_000) == nil)
    }

    @Test("a receiver that is never there is tried some thirty times")
    func count() {
        var now = end
        var attempts = 1
        while let next = schedule.next(after: attempts, of: end, now: now, retryAfter: nil, fraction: 0.5) {
            now = next
            attempts += 1
        }
        #expect((30...45).contains(attempts))
        #expect(now == end.addingTimeInterval(86_400))
    }
}
