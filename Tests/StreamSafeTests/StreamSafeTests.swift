import StreamSafe
import Testing

@Suite("Stream-safe text")
struct StreamSafeTests {
    private func marks(_ count: Int) -> String { String(repeating: "\u{301}", count: count) }

    @Test("thirty marks in a row are text, one more is not, wherever they stand")
    func marksInARow() {
        for start in ["", "a", "日本語 ", "café "] {
            #expect((start + marks(30)).isStreamSafe)
            #expect((start + marks(30) + "b" + marks(30)).isStreamSafe)
            #expect(!(start + marks(31)).isStreamSafe)
            #expect(!(start + marks(31) + " and so on").isStreamSafe)
        }
        let mixed = String(repeating: "\u{301}\u{316}", count: 16)
        #expect(!("a" + mixed).isStreamSafe)
    }

    @Test(
        "text as people write it is stream-safe, however long",
        arguments: ["", "plain", "naïve façade", "한국어", "हिन्दी में लिखा हुआ", "tiếng Việt", "👩‍👩‍👧‍👦", "ภาษาไทย"])
    func ordinary(text: String) {
        #expect(text.isStreamSafe)
        #expect(String(repeating: text, count: 1000).isStreamSafe)
    }
}
