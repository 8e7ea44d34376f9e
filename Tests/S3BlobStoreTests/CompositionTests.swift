import Testing

@testable import S3BlobStore

@Suite("Objects that are put together")
struct CompositionTests {
    private let mebibyte: Int64 = 1 << 20

    private func groups(_ mebibytes: [Int64]) -> [S3Composition.Group] {
        let pieces = mebibytes.enumerated().map { S3Piece(object: "\($0.offset)", count: $0.element * mebibyte) }
        return S3Composition.groups(pieces, total: pieces.reduce(0) { $0 + $1.count })
    }

    private func sizes(_ groups: [S3Composition.Group]) -> [Int64] {
        groups.map { group in
            switch group {
            case .copied(let piece, let range): Int64(range?.count ?? Int(piece.count)) / mebibyte
            case .joined(let pieces): pieces.reduce(0) { $0 + $1.count } / mebibyte
            }
        }
    }

    @Test("long pieces are copied, short ones joined until they make a part, and only the last part may be short")
    func parts() {
        let found = groups([16, 1, 2, 3, 5, 4, 1, 16, 2])
        #expect(sizes(found) == [16, 6, 5, 5, 16, 2])
        #expect(found.first == .copied(S3Piece(object: "0", count: 16 * mebibyte), nil))
        #expect(groups([]).isEmpty)
        #expect(sizes(groups([0, 3, 0])) == [3])
    }

    @Test("what one request may not copy is copied in ranges that follow one another")
    func ranges() {
        let found = groups([11 << 10])
        var end: Int64 = 0
        for group in found {
            guard case .copied(_, let range?) = group else { return #expect(Bool(false), "\(group)") }
            #expect(range.lowerBound == end && range.count <= S3Client.mostCopied)
            end = range.upperBound
        }
        #expect(found.count == 3 && end == (11 << 10) * mebibyte)
    }

    @Test("there are never more than 10,000 parts")
    func many() {
        let pieces = (0..<30_000).map { S3Piece(object: "\($0)", count: 6 * mebibyte) }
        #expect(S3Composition.groups(pieces, total: 180_000 * mebibyte).count <= 10_000)
        #expect((5 << 40) / S3Upload.partSize(of: 5 << 40) <= 10_000)
    }
}
