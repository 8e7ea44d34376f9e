import Foundation
import ServiceHarness
import Synchronization

/// A file system of few bytes, in memory.
final class SmallDisk {
    let folder: TemporaryFolder

    init(megabytes: Int) throws {
        folder = try TemporaryFolder()
        let mounted = try Executable.run(
            "/usr/bin/env", ["mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", folder.url.path])
        guard mounted.status == 0 else { throw NotProvable(reason: "a file system can be mounted by root only") }
    }

    func unmount() { _ = try? Executable.run("/usr/bin/env", ["umount", "-l", folder.url.path]) }

    func fill() throws {
        let ballast = open(folder.path("ballast"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard ballast >= 0 else { throw ProofError("no ballast") }
        defer { close(ballast) }
        for size in [1 << 20, 1 << 12, 1] {
            let block = [UInt8](repeating: 0, count: size)
            while write(ballast, block, size) == size {}
        }
    }

    func empty() { unlink(folder.path("ballast")) }

    static func freeBytes(_ path: String) -> Int64 {
        var status = statvfs()
        return statvfs(path, &status) == 0 ? Int64(status.f_bavail) * Int64(status.f_frsize) : 0
    }
}

/// Looks all the time at how much of a disk is free.
final class LeastFree {
    private let crew: Crew
    private let least: Least

    private final class Least: Sendable {
        let bytes = Mutex(Int64.max)
    }

    init(_ disk: SmallDisk) {
        let path = disk.folder.url.path
        let least = Least()
        self.least = least
        crew = Crew(1) { _, _ in
            let free = SmallDisk.freeBytes(path)
            least.bytes.withLock { $0 = min($0, free) }
            pause(0.001)
        }
    }

    /// The least that was free.
    func stop() -> Int64 {
        crew.stop()
        return least.bytes.withLock { $0 }
    }
}
