/// Reads a tar (POSIX.1-1988) of regular files.
enum Tar {
    static func entries(_ tar: [UInt8]) -> [(name: String, content: [UInt8])] {
        var entries: [(name: String, content: [UInt8])] = []
        var offset = 0
        while offset + 512 <= tar.count, tar[offset] != 0 {
            let name = String(decoding: tar[offset..<offset + 100].prefix { $0 != 0 }, as: UTF8.self)
            let octal = String(decoding: tar[offset + 124..<offset + 135], as: UTF8.self)
            guard let size = Int(octal, radix: 8), offset + 512 + size <= tar.count else { return entries }
            entries.append((name, Array(tar[offset + 512..<offset + 512 + size])))
            offset += 512 + (size + 511) / 512 * 512
        }
        return entries
    }
}
