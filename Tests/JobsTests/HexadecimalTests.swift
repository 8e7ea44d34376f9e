import Jobs
import Testing

@Suite("Hexadecimal text")
struct HexadecimalTests {
    @Test("each byte is two digits in lower case, and is read back")
    func bytes() {
        #expect(Hexadecimal.text([0x00, 0x09, 0x0A, 0x1F, 0xA0, 0xFF] as [UInt8]) == "00090a1fa0ff")
        #expect(Hexadecimal.text([UInt8]()).isEmpty)
        let all = Array(UInt8.min...UInt8.max)
        let text = Hexadecimal.text(all)
        #expect(text.utf8.count == 512)
        #expect(Hexadecimal.bytes(text) == all)
        #expect(Hexadecimal.bytes(text.uppercased()) == all)
    }

    @Test(
        "what is no whole number of bytes, or has other characters, is not read",
        arguments: ["0", "abc", "0g", "é", " 00", "0x00"])
    func refused(_ text: String) {
        #expect(Hexadecimal.bytes(text) == nil)
    }
}
