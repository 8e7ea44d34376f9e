import CArchive
import Glibc

/// The images of a zip or tar, unpacked to a file without a name and read from there in natural order.
///
/// Nothing in an archive becomes a path: entries are bytes and a name to sort by. Still an archive with names or entries
/// that only an attack has use for is refused as a whole, so that its sender hears of it. Hidden files, `__MACOSX` and
/// what is an image neither by its name nor by its content are left out.
final class ArchiveFiles: ImageFiles {
    private struct Entry {
        var name: String
        var offset: Int
        var count: Int
    }
    private let spool: Spool
    private var entries: [Entry] = []

    private let limits: DecodeLimits
    private let heartbeat: Heartbeat
    /// Unpacked so far, left-out entries included.
    private var unpacked: Int64 = 0
    private var mostUnpacked: Int64 = 0
    private let packed: Int64

    /// Images do not shrink to a hundredth; what does is made to fill a disk. Small archives may, being harmless.
    private static let mostRatio: Int64 = 100
    private static let harmlessBytes: Int64 = 64 << 20
    /// Entries of any kind that an archive may have for each frame that is allowed, and beside them.
    private static let entriesPerFrame = 2
    private static let extraEntries = 10_000
    private static let blockSize = 64 << 10

    init(
        _ input: Descriptor, format: ArchiveFormat, spool: Descriptor, limits: DecodeLimits, heartbeat: Heartbeat
    ) throws(MediaError) {
        self.spool = Spool(spool, floor: limits.diskFloorBytes)
        self.limits = limits
        self.heartbeat = heartbeat
        var status = stat()
        guard fstat(input.number, &status) == 0 else { throw MediaError.system("cannot look at the archive") }
        packed = Int64(status.st_size)
        let (scaled, overflow) = packed.multipliedReportingOverflow(by: Self.mostRatio)
        mostUnpacked = min(limits.archiveBytes, overflow ? .max : max(scaled, Self.harmlessBytes))

        guard let archive = archive_read_new() else { throw MediaError(.system, "there is no memory left") }
        defer { archive_read_free(archive) }
        switch format {
        // Only by its directory at the end: read as a stream, a zip that was cut between entries would seem whole.
        case .zip: archive_read_support_format_zip_seekable(archive)
        case .tar: archive_read_support_format_tar(archive)
        case .tarGzip:
            archive_read_support_filter_gzip(archive)
            archive_read_support_format_tar(archive)
        }
        try check(archive_read_open_fd(archive, input.number, Self.blockSize), archive)
        try readEntries(archive)
        entries.sort { NaturalOrder.precedes($0.name, $1.name) }
    }

    var count: Int { entries.count }

    func name(_ index: Int) -> String { entries[index].name }

    func bytes(_ index: Int) throws(MediaError) -> [UInt8] {
        try spool.bytes(at: entries[index].offset, count: entries[index].count)
    }

    private func readEntries(_ archive: OpaquePointer) throws(MediaError) {
        var number = 0
        var entry: OpaquePointer?
        while true {
            let result = archive_read_next_header(archive, &entry)
            if result == ARCHIVE_EOF { return }
            try check(result, archive)
            guard let entry else { return }
            number += 1
            let (most, overflow) = limits.frames.multipliedReportingOverflow(by: Self.entriesPerFrame)
            guard overflow || number - Self.extraEntries <= most else {
                throw MediaError(.limitExceeded, "the archive has more than \(number - 1) entries")
            }
            let name = try ArchiveEntryName.checked(entry, number: number)
            let start = spool.count
            if let name, !ArchiveEntryName.isHidden(name) {
                try unpack(archive, name: name, keep: true)
                let entry = Entry(name: name, offset: start, count: spool.count - start)
                if try isImage(entry) { try add(entry) } else { spool.rewind(to: start) }
            } else {
                try unpack(archive, name: "entry \(number)", keep: false)
            }
        }
    }

    /// By its name, so that a damaged image is an error; else by its content, so that a name like `frame_1` will do.
    private func isImage(_ entry: Entry) throws(MediaError) -> Bool {
        if ImageFormat.hasExtension(entry.name) { return true }
        let prefix = try spool.bytes(at: entry.offset, count: min(entry.count, SourceFormat.prefixLength))
        if case .image = SourceFormat.recognise(prefix) { return true }
        return false
    }

    private func add(_ entry: Entry) throws(MediaError) {
        guard entries.count < limits.frames else {
            throw MediaError(.limitExceeded, "the archive holds more than \(limits.frames) images")
        }
        entries.append(entry)
    }

    private func unpack(_ archive: OpaquePointer, name: String, keep: Bool) throws(MediaError) {
        var position: Int64 = 0
        while true {
            var block: UnsafeRawPointer?
            var count = 0
            var offset: Int64 = 0
            let result = archive_read_data_block(archive, &block, &count, &offset)
            if result == ARCHIVE_EOF { return }
            try check(result, archive, name: name)
            guard offset == position else {
                throw MediaError(.undecodable, "\(name) in the archive is a sparse file, which is not accepted")
            }
            position += Int64(count)
            unpacked += Int64(count)
            guard unpacked <= mostUnpacked else { throw tooLarge() }
            if keep, let block { try spool.append(UnsafeRawBufferPointer(start: block, count: count)) }
            heartbeat.beat()
        }
    }

    private func tooLarge() -> MediaError {
        guard mostUnpacked < limits.archiveBytes else {
            return MediaError(
                .limitExceeded, "the archive unpacks to more than the \(mostUnpacked) bytes that are allowed")
        }
        return MediaError(
            .limitExceeded,
            "the archive's compression ratio is refused: its \(packed) bytes unpack to more than \(mostUnpacked), and "
                + "beyond \(Self.harmlessBytes >> 20) MiB no more than \(Self.mostRatio):1 is allowed")
    }

    private func check(_ result: Int32, _ archive: OpaquePointer, name: String? = nil) throws(MediaError) {
        guard result != ARCHIVE_OK, result != ARCHIVE_WARN else { return }
        let reason = archive_error_string(archive).map { String(cString: $0) } ?? "it is damaged"
        let place = name.map { " at \($0)" } ?? ""
        throw MediaError(.undecodable, "the archive cannot be read\(place): \(reason)")
    }
}

/// Which names and kinds of entries are accepted.
package enum ArchiveEntryName {
    /// The entry's name with `/` between folders, or `nil` for a folder. Throws where the archive has to be refused.
    static func checked(_ entry: OpaquePointer, number: Int) throws(MediaError) -> String? {
        guard let raw = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry) else {
            throw MediaError(.undecodable, "entry \(number) of the archive has no name that can be read")
        }
        let name = try normalised(String(cString: raw))
        if archive_entry_hardlink(entry) != nil || archive_entry_symlink(entry) != nil {
            throw refused(name, "is a link")
        }
        if archive_entry_is_encrypted(entry) != 0 { throw refused(name, "is encrypted") }
        switch archive_entry_filetype(entry) & S_IFMT {
        case S_IFDIR: return nil
        case S_IFREG, 0: return name
        default: throw refused(name, "is no file")
        }
    }

    /// Folders divided by `/`, without `.`; absolute names and `..` are refused.
    ///
    /// Code point by code point: a slash with a combining mark behind it is one character to Swift, and a slash to the
    /// system.
    package static func normalised(_ name: String) throws(MediaError) -> String {
        let parts = name.unicodeScalars.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "\\" }
            .map { Array($0) }
        let kept = parts.filter { $0 != ["."] && !$0.isEmpty }
        let hasDrive = kept.first.map { $0.count == 2 && $0.last == ":" } ?? false
        if parts.first?.isEmpty == true || hasDrive { throw refused(name, "has an absolute name") }
        if kept.contains([".", "."]) { throw refused(name, "has a name with '..'") }
        var normal = String.UnicodeScalarView()
        for (index, part) in kept.enumerated() {
            if index > 0 { normal.append("/") }
            normal.append(contentsOf: part)
        }
        return String(normal)
    }

    /// Whether a normalised name is that of a file which people do not see: `.DS_Store`, `__MACOSX/…`.
    package static func isHidden(_ name: String) -> Bool {
        name.unicodeScalars.split(separator: "/").contains {
            $0.first == "." || $0.elementsEqual("__MACOSX".unicodeScalars)
        }
    }

    private static func refused(_ name: String, _ reason: String) -> MediaError {
        MediaError(.undecodable, "the archive is refused: its entry \(name) \(reason)")
    }
}
