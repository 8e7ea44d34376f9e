import Foundation
import Jobs
import Testing

@Suite("RFC 3339")
struct RFC3339Tests {
    @Test(
        "moments are written in UTC with milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_750_000_000_123, "2025-06-15T15:06:40.123Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"), (Int64.max, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func writing(_ milliseconds: Int64, _ text: String) {
        #expect(RFC3339.string(Date(unixMilliseconds: milliseconds)) == text)
    }

    @Test("what is written reads back, over ten thousand days")
    func roundTrip() {
        for day in stride(from: Int64(-40_000), to: 60_000, by: 10) {
            let milliseconds = day * 86_400_000 + day * 7_919 % 86_400_000
            let text = RFC3339.string(Date(unixMilliseconds: milliseconds))
            #expect(RFC3339.date(text)?.unixMilliseconds == milliseconds, "\(text)")
        }
    }

    @Test(
        "any offset and fraction is read",
        arguments: [
            ("2025-06-15T15:06:40Z", 1_750_000_000_000), ("2025-06-15t17:06:40.5+02:00", 1_750_000_000_500),
            ("2025-06-15T11:36:40.1239999-03:30", 1_750_000_000_123), ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ] as [(String, Int64)])
    func reading(_ text: String, _ milliseconds: Int64) {
        #expect(RFC3339.date(text)?.unixMilliseconds == milliseconds)
    }

    @Test(
        "what is no time stamp is refused",
        arguments: [
            "", "2025-06-15", "2025-06-15T15:06:40", "2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z",
            "2025-06-15T24:00:00Z", "2025-06-15T15:60:40Z", "2025-06-15T15:06:40.Z", "2025-06-15T15:06:40Zx",
            "2025-06-15T15:06:40+0200", "２025-06-15T15:06:40Z", "2025-06-00T15:06:40Z",
        ])
    func refusing(_ text: String) {
        #expect(RFC3339.date(text) == nil)
    }
}
