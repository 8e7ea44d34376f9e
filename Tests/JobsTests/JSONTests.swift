import Jobs
import Testing

@Suite("JSON")
struct JSONTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: text.utf8) }

    private func encoded(_ value: JSONValue) -> String { String(decoding: value.encoded(), as: UTF8.self) }

    @Test(
        "texts are read and written as RFC 8259 has them",
        arguments: [
            ("null", "null"), (" true\r\n", "true"), ("[ ]", "[]"), ("{ }", "{}"), ("-0", "0"), ("1.50", "1.5"),
            ("12e2", "1200"), ("1E-7", "1e-07"), ("9007199254740992", "9007199254740992"), ("0.1", "0.1"),
            ("1e300", "1e+300"), (#""\u00e9\/\b\f\n\r\t\\\"""#, #""é/\u0008\u000c\n\r\t\\\"""#),
            (#""\ud83d\ude00""#, "\"😀\""), (#"{"b":1,"a":[{"c":null}]}"#, #"{"b":1,"a":[{"c":null}]}"#),
            ("\"\u{7f}\"", "\"\u{7f}\""),
        ])
    func reading(_ text: String, _ expected: String) throws {
        let value = try parse(text)
        #expect(encoded(value) == expected)
        #expect(try parse(encoded(value)) == value)
    }

    @Test(
        "what is no JSON is refused with its place",
        arguments: [
            ("", 1, 1), ("nul", 1, 1), ("NaN", 1, 1), ("-Infinity", 1, 2), ("1e400", 1, 1), ("01", 1, 2), ("1.", 1, 3),
            ("+1", 1, 1), ("[1,]", 1, 4), ("[1 2]", 1, 4), ("{\"a\"}", 1, 5), ("{a:1}", 1, 2), ("{\"a\":1,}", 1, 8),
            ("[1]\n x", 2, 2), ("{\n\"a\":1,\n\"a\":2}", 3, 1), (#""\x""#, 1, 3), (#""\ud800""#, 1, 4),
            ("\"a\nb\"", 1, 3),
            ("\"abc", 1, 1), ("[", 1, 2), (#""\u00g0""#, 1, 6), (#""\udc00\ud800""#, 1, 4), ("'a'", 1, 1), ("[1", 1, 3),
        ])
    func refusing(_ text: String, _ line: Int, _ column: Int) throws {
        let error = try #require(throws: JSONError.self) { try parse(text) }
        #expect(error.line == line)
        #expect(error.column == column)
        #expect(error.offset <= text.utf8.count)
    }

    @Test("a string that is not UTF-8 is refused")
    func notUTF8() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22]) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xED, 0xA0, 0x80, 0x22]) }
    }

    @Test("a string that would be slow to compare, a key or a value, as it is or escaped, is refused where it begins")
    func combiningMarks() throws {
        for mark in ["\u{301}", #"\u0301"#] {
            func text(_ count: Int) -> String { "\"a" + String(repeating: mark, count: count) + "\"" }
            #expect(try parse("{\(text(30)): \(text(30))}").objectValue?.keys.count == 1)
            for bad in ["{\(text(31)): 1}", "{\(text(30)): \(text(31))}"] {
                let error = try #require(throws: JSONError.self) { try parse(bad) }
                #expect(error.message.contains("combining marks"))
            }
        }
    }

    @Test("depth and size are limited")
    func limits() throws {
        #expect(try parse(String(repeating: "[", count: 32) + String(repeating: "]", count: 32)).arrayValue?.count == 1)
        #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: 33)) }
        #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[1,2]".utf8, maximumBytes: 4) }
    }

    @Test("numbers that are not finite are written as null")
    func notFinite() {
        #expect(encoded([.number(.nan), .number(.infinity), .number(-.infinity)]) == "[null,null,null]")
    }

    @Test("objects keep their order, and setting a key keeps its place")
    func objects() {
        var object = JSONObject([("b", 1), ("a", 2)])
        object["b"] = 3
        object["c"] = nil
        object["d"] = .null
        #expect(object.removeValue(forKey: "a") == 2)
        #expect(encoded(.object(object)) == #"{"b":3,"d":null}"#)
    }

    @Test("a key that comes twice is refused, however many there are", arguments: [1, 2, 15, 16, 17, 40])
    func duplicates(_ count: Int) throws {
        let members = (0..<count).map { "\"k\($0)\":1" }
        #expect(try parse("{\(members.joined(separator: ","))}").objectValue?.keys.count == count)
        for repeated in members {
            #expect(throws: JSONError.self) { try parse("{\((members + [repeated]).joined(separator: ","))}") }
        }
    }

    @Test("integers are those without a fraction up to 2⁵³")
    func integers() throws {
        #expect(try parse("7.0").intValue == 7)
        #expect(try parse("7.5").intValue == nil)
        #expect(try parse("1e19").intValue == nil)
        #expect(try parse("\"7\"").intValue == nil)
    }

    @Test("numbers are rounded correctly, however they are written")
    func rounding() throws {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            let whole = String(UInt64.random(in: 0...(.max), using: &random)).prefix(
                Int.random(in: 1...18, using: &random))
            let fraction = String(UInt64.random(in: 0...(.max), using: &random)).prefix(
                Int.random(in: 1...18, using: &random))
            let text = (Bool.random(using: &random) ? "-" : "") + (whole.first == "0" ? "0" : whole) + "." + fraction
            #expect(try parse(text).doubleValue == Double(text))
        }
    }

    @Test("any bytes are read or refused, and what is read writes and reads back")
    func fuzz() throws {
        var random = SeededGenerator(seed: 7)
        let alphabet = Array("{}[]\",:0123456789.eE+-truefalsn \\ud8c\u{0}\u{1}é".utf8) + [0xFF, 0xC3]
        let seed = Array(#"{"targets":[{"box":[70,51,107,87.5e0],"id":"\u00e9\ud83d\ude00"}],"a":null,"b":true}"#.utf8)
        for _ in 0..<20_000 {
            var text = seed
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<max(text.count, 1), using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0 where !text.isEmpty: text.remove(at: place)
                case 1: text.insert(alphabet.randomElement(using: &random) ?? 0, at: min(place, text.count))
                default: if !text.isEmpty { text[place] = alphabet.randomElement(using: &random) ?? 0 }
                }
            }
            guard let value = try? JSONValue(parsing: text) else { continue }
            #expect(try JSONValue(parsing: value.encoded()) == value)
            _ = try? SpecReader.read(value)
        }
    }
}

/// Numbers that are the same in each run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
