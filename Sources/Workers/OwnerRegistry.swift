import Foundation
import Jobs
import Synchronization

/// Which processes of this machine work on the same data: each holds the lock of a file named after it. The kernel lets
/// go of a lock however a process ends, so the jobs of a killed one need not wait for their leases.
///
/// Every process that writes to the data holds one from before its first write, whether it runs jobs or only takes
/// uploads: whoever finds no other process takes blobs without a job for left behind.
public final class OwnerRegistry: Sendable {
    /// This process: host, process number and random digits.
    public let owner: String
    private let directory: String
    /// Of this process's file; -1 once it is closed, which any thread may do.
    private let descriptor: Atomic<Int32>

    /// Makes the folder and this process's file.
    ///
    /// - Parameters:
    ///   - directory: the same for all processes that work on the same data; for nothing else.
    ///   - environment: gives the name's random digits.
    /// - Throws: ``JobsError/Code/io`` where the folder or the file cannot be made.
    public init(directory: String, environment: any Environment = SystemEnvironment()) throws(JobsError) {
        self.directory = directory
        owner = Self.name(environment)
        try PrivateFiles.makeFolders(directory)
        // Locked before it has its name, so that nobody takes it for a dead process's.
        let draft = "\(directory)/.\(owner)"
        let file = open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, PrivateFiles.fileMode)
        descriptor = Atomic(file)
        if file >= 0 { PrivateFiles.giveToOwner(ofFolder: directory, file) }
        guard file >= 0, flock(file, LOCK_EX | LOCK_NB) == 0, rename(draft, "\(directory)/\(owner)") == 0
        else { throw JobsError(.io, "cannot make \(directory)/\(owner): \(String(cString: strerror(errno)))") }
    }

    deinit { close() }

    /// Owners whose process is gone.
    func dead() -> [String] { (others() ?? []).filter { !isAlive($0) } }

    /// Whether other processes work on the same data; where that cannot be seen, they may.
    public func hasLivingOthers() -> Bool { others()?.contains { isAlive($0) } ?? true }

    /// Removes the file of a dead owner, once its jobs are requeued.
    func forget(_ owner: String) { unlink("\(directory)/\(owner)") }

    /// This process works no more: it takes no uploads and runs no jobs. Nothing where that was said before.
    public func close() {
        let file = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        guard file >= 0 else { return }
        forget(owner)
        Glibc.close(file)
    }

    /// `nil` where the folder cannot be read.
    private func others() -> [String]? {
        let names = try? FileManager.default.contentsOfDirectory(atPath: directory)
        return names?.filter { $0 != owner && !$0.hasPrefix(".") }.sorted()
    }

    private func isAlive(_ owner: String) -> Bool {
        let other = open("\(directory)/\(owner)", O_RDWR | O_CLOEXEC)
        // Whoever cannot be looked at may be alive.
        guard other >= 0 else { return errno != ENOENT }
        defer { Glibc.close(other) }
        return flock(other, LOCK_EX | LOCK_NB) != 0
    }

    private static func name(_ environment: any Environment) -> String {
        let host = ProcessInfo.processInfo.hostName.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let random = Hexadecimal.text(environment.randomBytes(4))
        return "\(String(host.prefix(64)))-\(getpid())-\(random)"
    }
}
