import Foundation
import FuzzTargets
import Testing

/// What `./run fuzz` starts from, and what it found before. A rule that is broken ends the test's process.
@Suite("The corpus of the fuzz targets")
struct CorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fuzzing/corpus")

    private func inputs(_ target: FuzzTarget) throws -> [[UInt8]] {
        try FileManager.default.contentsOfDirectory(
            at: Self.folder.appendingPathComponent(target.rawValue), includingPropertiesForKeys: nil
        ).sorted { $0.path < $1.path }.map { Array(try Data(contentsOf: $0)) }
    }

    @Test("keeps every parser's rules, and so does what is cut off or changed of it", arguments: FuzzTarget.allCases)
    func corpus(target: FuzzTarget) throws {
        let inputs = try inputs(target)
        #expect(inputs.count >= 5)
        for (number, input) in inputs.enumerated() {
            target.run(input)
            for count in stride(from: 0, to: input.count, by: max(1, input.count / 64)) {
                target.run(Array(input.prefix(count)))
            }
            // SplitMix64 (Steele, Lea & Flood, 2014).
            var state = UInt64(number + 1)
            func next() -> UInt64 {
                state &+= 0x9E37_79B9_7F4A_7C15
                var value = state
                value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
                value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
                return value ^ (value >> 31)
            }
            for _ in 0..<100 where !input.isEmpty {
                var changed = input
                for _ in 0...(next() % 4) {
                    changed[Int(next() % UInt64(input.count))] = UInt8(truncatingIfNeeded: next())
                }
                target.run(changed)
            }
        }
    }

    @Test("keeps them where a piece of it comes again and again", arguments: FuzzTarget.allCases)
    func longInputs(target: FuzzTarget) throws {
        for (number, input) in try inputs(target).enumerated() {
            let piece = [UInt8(truncatingIfNeeded: 37 * number), UInt8(number % 16)]
            // Long enough to pass every limit of one field; `./run fuzz` looks at the time that long ones take.
            target.run(target.stretched(piece + input, to: 10 << 10))
        }
    }

    @Test("long inputs are as long as a target takes, and begin and end as the short one")
    func stretched() {
        for target in FuzzTarget.allCases {
            // The third of four quarters, two bytes of it.
            let long = target.stretched([128, 1] + Array("abcdefgh".utf8))
            #expect((target.longest - 8...target.longest).contains(long.count))
            #expect(long.starts(with: "abcdefefef".utf8))
            #expect(long.suffix(6).elementsEqual("efefgh".utf8))
            #expect(target.stretched([1, 2]).isEmpty)
            #expect(target.stretched([]).isEmpty)
        }
    }

    @Test("has a folder for each target, and no other")
    func folders() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(names) == Set(FuzzTarget.allCases.map(\.rawValue)))
    }
}
