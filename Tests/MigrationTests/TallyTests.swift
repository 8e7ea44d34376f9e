import Jobs
import Migration
import Testing

@Suite("A digest of rows")
struct TallyTests {
    private func tally(_ rows: StoredRow...) -> Tally {
        var tally = Tally()
        for row in rows { tally.add(row) }
        return tally
    }

    @Test("does not depend on their order")
    func order() {
        let (a, b): (StoredRow, StoredRow) = ([.text("a"), .null], [.integer(7), .real(0.5)])
        #expect(tally(a, b) == tally(b, a))
        #expect(tally(a, b).digest.count == 64)
    }

    @Test("tells apart what is alike: kinds, where a value ends, how often a row is there")
    func different() {
        let rows: [StoredRow] = [
            [.text("ab"), .text("c")], [.text("a"), .text("bc")], [.text("1")], [.integer(1)], [.real(1)],
            [.bytes([UInt8(ascii: "1")])], [.null], [.text("")], [.text("caf\u{E9}")], [.text("cafe\u{301}")],
        ]
        #expect(Set(rows.map { tally($0).digest }).count == rows.count)
        #expect(tally(rows[0], rows[0]).digest != Tally().digest)
        #expect(tally(rows[0], rows[0]).digest != tally(rows[0]).digest)
    }
}
