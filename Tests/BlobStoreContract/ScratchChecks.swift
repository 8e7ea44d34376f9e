import Jobs
import Testing

extension ScratchFile {
    fileprivate func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try append($0) } }

    fileprivate func bytes(at offset: Int64, count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            used = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
    }
}

extension BlobStoreContract {
    static let scratchChecks: [BlobStoreCheck] = [
        BlobStoreCheck("a scratch file gives back what was put away, at any place, while more is added") { fixture in
            let file = try fixture.open().scratch()
            #expect(try file.bytes(at: 0, count: 10).isEmpty)
            var expected: [UInt8] = []
            for size in [1, 70_000, 3, 0, 200_000] {
                let piece = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ size) }
                try file.append(piece)
                expected += piece
                #expect(try file.bytes(at: 0, count: expected.count + 1) == expected)
            }
            #expect(try file.bytes(at: 69_990, count: 30) == Array(expected[69_990..<70_020]))
            #expect(try file.bytes(at: Int64(expected.count), count: 1).isEmpty)
            #expect(try file.bytes(at: Int64(expected.count) + 5, count: 1).isEmpty)
        },
        BlobStoreCheck("scratch files have nothing to do with one another, and none is a blob") { fixture in
            let store = try fixture.open()
            let (one, other) = (try store.scratch(), try store.scratch())
            try one.append([1])
            try other.append([2, 3])
            // A start sweeps what is unfinished.
            let late = try fixture.open()
            #expect(try one.bytes(at: 0, count: 5) == [1])
            #expect(try other.bytes(at: 0, count: 5) == [2, 3])
            for store in [store, late] { #expect(try store.children(of: "").isEmpty) }
        },
    ]
}
