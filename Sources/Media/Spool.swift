import Glibc

/// The file without a name that an archive is unpacked to. Used by one thread.
///
/// It takes space of the disk that uploads, results and the database are on, and is written by a process that was given
/// somebody's file: so it leaves some of that alone.
final class Spool {
    /// Bytes between two looks at the disk.
    private static let interval = 1 << 20

    private let file: Descriptor
    private let floor: Int64
    /// The most that the file may have.
    private let most: Int
    private var nextLook = 0
    /// Bytes that were kept.
    private(set) var count = 0

    /// - Parameter floor: free space that is left alone, in bytes; 0: none is.
    init(_ file: Descriptor, floor: Int64) {
        self.file = file
        self.floor = floor
        var limit = rlimit()
        let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0
        most = isKnown ? Int(clamping: limit.rlim_cur) : .max
    }

    /// What the kernel is to hold a file to that unpacks as much as it may: the limit, or what is free beside the floor. A
    /// decoder that does not look itself goes no further.
    static func mostBytes(of file: Int32, _ limits: DecodeLimits) -> Int {
        guard limits.diskFloorBytes > 0, let free = free(file) else { return Int(clamping: limits.archiveBytes) }
        let room = max(free - limits.diskFloorBytes, 0)
        // An honest one is to notice first.
        return Int(clamping: min(limits.archiveBytes, room + 2 * Int64(interval)))
    }

    /// - Throws: ``MediaError/Code/storageFull`` where the disk is full but for what is left alone.
    func append(_ bytes: UnsafeRawBufferPointer) throws(MediaError) {
        let (end, overflow) = count.addingReportingOverflow(bytes.count)
        guard !overflow, end <= most else {
            throw Self.full("only \(most) bytes were free for it when it was begun")
        }
        if end > nextLook {
            try look()
            nextLook = end + Self.interval
        }
        var written = 0
        while written < bytes.count {
            let result = pwrite(
                file.number, bytes.baseAddress! + written, bytes.count - written, off_t(count + written))
            if result < 0, errno == EINTR { continue }
            guard result > 0 else {
                if errno == ENOSPC || errno == EDQUOT { throw Self.full("the disk has no space left") }
                throw MediaError.system("cannot unpack the archive")
            }
            written += result
        }
        count = end
    }

    /// Forgets what was written from a position on.
    func rewind(to position: Int) { count = position }

    func bytes(at position: Int, count: Int) throws(MediaError) -> [UInt8] {
        try file.read(count: count, at: position)
    }

    /// Where nobody can tell what is free, it is left to the writing.
    private func look() throws(MediaError) {
        guard floor > 0, let free = Self.free(file.number) else { return }
        guard free - Int64(Self.interval) >= floor else {
            throw Self.full("\(free) bytes are free, and \(floor) are left alone")
        }
    }

    private static func full(_ why: String) -> MediaError {
        MediaError(.storageFull, "there is no space to unpack the archive: \(why)")
    }

    /// For whom is not root.
    private static func free(_ file: Int32) -> Int64? {
        var status = statvfs()
        guard fstatvfs(file, &status) == 0 else { return nil }
        let (bytes, overflow) = Int64(clamping: status.f_bavail).multipliedReportingOverflow(by: Int64(status.f_frsize))
        return overflow ? .max : bytes
    }
}
