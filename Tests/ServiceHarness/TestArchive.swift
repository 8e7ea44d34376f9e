/// Archives made byte by byte, so that they can hold what no archiver writes.
package enum TestArchive {
    package struct Entry {
        package var name: String
        package var bytes: [UInt8] = []
        /// POSIX ustar: "0" a file, "1" a hard link, "2" a symbolic link, "5" a folder, "6" a pipe.
        package var kind: Character = "0"
        package var target = ""

        package init(name: String, bytes: [UInt8] = [], kind: Character = "0", target: String = "") {
            self.name = name
            self.bytes = bytes
            self.kind = kind
            self.target = target
        }
    }

    /// POSIX.1-2017, pax, ustar interchange format.
    package static func tar(_ entries: [Entry]) -> [UInt8] {
        entries.flatMap(tarEntry) + [UInt8](repeating: 0, count: 1024)
    }

    private static func tarEntry(_ entry: Entry) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        put(String(entry.name.prefix(100)), at: 0)
        put("0000644\0", at: 100)
        put("0000000\0", at: 108)
        put("0000000\0", at: 116)
        put(octal(entry.bytes.count, digits: 11) + "\0", at: 124)
        put("00000000000\0", at: 136)
        put("        ", at: 148)
        put(String(entry.kind), at: 156)
        put(entry.target, at: 157)
        put("ustar\u{0}00", at: 257)
        put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\0 ", at: 148)
        let padding = (512 - entry.bytes.count % 512) % 512
        return header + entry.bytes + [UInt8](repeating: 0, count: padding)
    }

    private static func octal(_ value: Int, digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// APPNOTE.TXT 4.3: stored entries; `flags` 1 says that they are encrypted.
    package static func zip(_ entries: [Entry], flags: Int = 0) -> [UInt8] {
        var archive: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let name = Array(entry.name.utf8)
            let common =
                little(flags, 2) + little(0, 2) + little(0, 4) + little(Int(crc32(entry.bytes)), 4)
                + little(entry.bytes.count, 4) + little(entry.bytes.count, 4) + little(name.count, 2) + little(0, 2)
            let mode = entry.kind == "2" ? 0o120777 : 0o100644
            directory +=
                little(0x0201_4B50, 4) + little(3 << 8 | 20, 2) + little(20, 2) + common + little(0, 2) + little(0, 2)
                + little(0, 2) + little(mode << 16, 4) + little(archive.count, 4) + name
            archive += little(0x0403_4B50, 4) + little(20, 2) + common + name + entry.bytes
        }
        let start = archive.count
        return archive + directory + little(0x0605_4B50, 4) + little(0, 4) + little(entries.count, 2)
            + little(entries.count, 2) + little(directory.count, 4) + little(start, 4) + little(0, 2)
    }

    private static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
    }
}
