import Crypto
import Jobs

/// How many rows or blobs there are, and a digest of all of them that does not depend on their order.
package struct Tally: Hashable, Sendable {
    package private(set) var count = 0
    /// Of blobs.
    package private(set) var bytes: Int64 = 0
    /// The sum of each one's SHA-256, as a number of four digits to the base 2^64 whose carries are dropped.
    private var sum: SIMD4<UInt64> = .zero

    package init() {}

    package mutating func add(_ row: StoredRow) {
        var hash = SHA256()
        for value in row {
            switch value {
            case .null: Self.update(&hash, 0, [])
            case .integer(let number): Self.update(&hash, 1, Self.bytes(UInt64(bitPattern: number)))
            case .real(let number): Self.update(&hash, 2, Self.bytes(number.bitPattern))
            case .text(let bytes): Self.update(&hash, 3, bytes)
            case .bytes(let bytes): Self.update(&hash, 4, bytes)
            }
        }
        add(hash.finalize())
        count += 1
    }

    package mutating func add(blob key: String, bytes: Int64, digest: String) {
        var hash = SHA256()
        Self.update(&hash, 3, Array(key.utf8))
        Self.update(&hash, 3, Array(digest.utf8))
        add(hash.finalize())
        count += 1
        self.bytes += bytes
    }

    package mutating func add(_ other: Tally) {
        count += other.count
        bytes += other.bytes
        sum &+= other.sum
    }

    /// 64 hexadecimal digits.
    package var digest: String {
        (0..<4).map { lane in
            let digits = String(sum[lane], radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    private mutating func add(_ digest: SHA256Digest) {
        digest.withUnsafeBytes { bytes in
            for lane in 0..<4 {
                sum[lane] &+= UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: lane * 8, as: UInt64.self))
            }
        }
    }

    /// The length before the bytes, so that no two rows have one encoding.
    private static func update(_ hash: inout SHA256, _ kind: UInt8, _ bytes: [UInt8]) {
        hash.update(data: [kind] + Self.bytes(UInt64(bytes.count)))
        hash.update(data: bytes)
    }

    private static func bytes(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
}
