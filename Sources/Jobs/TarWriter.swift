/// Packs frames that arrive one by one into a tar (POSIX.1-1988 ustar), whose sizes need not be known beforehand: an
/// entry's header is written when its last byte is there.
///
/// Frames are used in the natural order of their names, so an entry keeps the name that the client gave, made safe:
/// what is not of `[A-Za-z0-9._-]` becomes `_`, a leading dot too. A frame without a name is called by its number.
///
/// `@unchecked Sendable`: it has no lock; one thread at a time uses it, as its ``BlobWriter``.
public final class TarWriter: @unchecked Sendable {
    /// Frames that were begun.
    public private(set) var frameCount = 0

    private static let blockSize = 512
    /// Bytes of a name in a ustar header; longer ones take GNU's `L` entry.
    private static let shortName = 100
    private static let longestName = 200

    private let writer: any BlobWriter
    private var name: [UInt8] = []
    private var headerOffset: Int64 = 0
    private var size: Int64 = 0
    /// Hashes of the names so far; two names with the same hash count as the same, which costs one of them a suffix.
    private var usedNames: Set<UInt64> = []

    public init(_ writer: any BlobWriter) { self.writer = writer }

    /// Starts an entry.
    ///
    /// - Parameter name: the client's file name; `nil` or empty where there is none.
    public func begin(name clientName: String?) throws {
        frameCount += 1
        size = 0
        name = uniqueName(clientName ?? "")
        if name.count > Self.shortName { try writeLongName() }
        headerOffset = writer.count
        try write(block: [UInt8](repeating: 0, count: Self.blockSize))
    }

    /// The next bytes of the entry.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        try writer.write(bytes)
        size += Int64(bytes.count)
    }

    /// Ends the entry.
    public func end() throws {
        try pad(size)
        let header = Self.header(name: name, size: size, type: "0")
        try header.withUnsafeBytes { try writer.overwrite($0, at: headerOffset) }
    }

    /// Ends the archive; the blob is the caller's to commit.
    public func finish() throws { try write(block: [UInt8](repeating: 0, count: 2 * Self.blockSize)) }

    // MARK: Names

    private func uniqueName(_ clientName: String) -> [UInt8] {
        let number = String(frameCount)
        let padded = Array((String(repeating: "0", count: max(0, 6 - number.count)) + number).utf8)
        var name = Self.safe(clientName)
        if name.isEmpty || name.count > Self.longestName { name = padded + Array(".img".utf8) }
        if !usedNames.insert(Self.hash(name)).inserted {
            let dot = name.lastIndex(of: UInt8(ascii: ".")) ?? name.endIndex
            name.insert(contentsOf: [UInt8(ascii: "_")] + padded, at: dot)
            usedNames.insert(Self.hash(name))
        }
        return name
    }

    private static func safe(_ name: String) -> [UInt8] {
        var bytes = name.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                byte
            default: UInt8(ascii: "_")
            }
        }
        if bytes.first == UInt8(ascii: ".") { bytes[0] = UInt8(ascii: "_") }
        return bytes
    }

    /// FNV-1a, 64 bits.
    private static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }

    // MARK: Blocks

    private func writeLongName() throws {
        let content = name + [0]
        try write(block: Self.header(name: Array("././@LongLink".utf8), size: Int64(content.count), type: "L"))
        try write(block: content)
        try pad(Int64(content.count))
    }

    private func pad(_ size: Int64) throws {
        let rest = Int(size % Int64(Self.blockSize))
        if rest > 0 { try write(block: [UInt8](repeating: 0, count: Self.blockSize - rest)) }
    }

    private func write(block: [UInt8]) throws { try block.withUnsafeBytes { try writer.write($0) } }

    /// Owner and time are zero, so that the same frames give the same bytes.
    private static func header(name: [UInt8], size: Int64, type: Unicode.Scalar) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockSize)
        func put(_ bytes: some Sequence<UInt8>, at offset: Int) {
            for (index, byte) in bytes.enumerated() { block[offset + index] = byte }
        }
        put(name.prefix(shortName), at: 0)
        put("0000644\0".utf8, at: 100)
        put("0000000\0".utf8, at: 108)
        put("0000000\0".utf8, at: 116)
        put(sizeField(size), at: 124)
        put("00000000000\0".utf8, at: 136)
        put("        ".utf8, at: 148)
        put([UInt8(ascii: type)], at: 156)
        put("ustar\u{0}00".utf8, at: 257)
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal(Int64(sum), digits: 6) + [0, UInt8(ascii: " ")], at: 148)
        return block
    }

    /// Eleven octal digits, or GNU's binary form from 8 GiB on.
    private static func sizeField(_ size: Int64) -> [UInt8] {
        if size < 1 << 33 { return octal(size, digits: 11) + [0] }
        return [0x80, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: size >> (56 - 8 * Int64($0))) }
    }

    private static func octal(_ value: Int64, digits: Int) -> [UInt8] {
        (0..<digits).map { UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value >> (3 * Int64(digits - 1 - $0)) & 7) }
    }
}
