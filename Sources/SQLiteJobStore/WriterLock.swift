import Foundation
import GRDB
import Jobs

/// Lets one process at a time write to a database or bring its log into its file (a checkpoint): the lock of a file beside
/// it, see flock(2), which the kernel takes back however a process ends.
///
/// SQLite keeps writers apart by itself, but up to version 3.51.2 not from checkpoints: where one process commits, and so
/// begins the log anew, while another brings over a log that had been brought over already, later commits are lost
/// (https://www.sqlite.org/wal.html#walresetbug).
///
/// Who reads does not need it, nor does the checkpoint of the last connection to close: SQLite lets nobody in meanwhile.
///
/// It is a process's, whichever of its threads has it: only the connection that writes may ask for it.
final class WriterLock: Sendable {
    /// How long to wait for other processes.
    struct Patience: Sendable {
        /// Of all pauses together.
        var limit: Duration = .seconds(SQLiteJobStore.busySeconds)
        /// Blocks.
        var sleep: @Sendable (_ pause: Duration) -> Void = { Thread.sleep(forTimeInterval: $0 / .seconds(1)) }
    }

    /// Of the file's name, after the database's. It is never removed: another process could have it open.
    static let suffix = "-lock"

    // A commit takes a millisecond or two. There is no queue: who looks often finds the moment between two commits of one
    // that does nothing else, so that pauses stay short. Where a commit takes ten times as long, such moments are rare.
    private static let firstPauses: [Duration] = [
        .microseconds(250), .microseconds(500), .milliseconds(1), .milliseconds(2), .milliseconds(5),
    ]
    private static let longestPause = Duration.milliseconds(10)

    /// `nil`: there is nobody to keep out.
    private let descriptor: Int32?
    private let patience: Patience

    /// Makes the lock's file where there is none.
    ///
    /// - Parameter database: the path of its file, which is there; `nil`: of a database that no other process opens.
    /// - Throws: ``JobsError/Code/io``.
    init(database: String?, _ patience: Patience = Patience()) throws(JobsError) {
        self.patience = patience
        if let database { descriptor = try Self.openFile(beside: database) } else { descriptor = nil }
    }

    deinit {
        if let descriptor { close(descriptor) }
    }

    /// Runs a body while no other process writes. Blocks.
    ///
    /// A program that does not know of this lock may have SQLite's own. Then the body throws SQLITE_BUSY at its start (in
    /// WAL mode a transaction that has begun with the write lock does not), and runs again later; meanwhile the lock is
    /// let go of, so that a process that is stopped while it waits holds up nobody.
    ///
    /// - Parameter limit: how long to wait; `nil`: as long as its patience lasts.
    /// - Throws: ``JobsError/Code/busy`` where others held one of the two locks for so long; what the body throws.
    func hold<T>(within limit: Duration? = nil, _ body: () throws -> T) throws -> T {
        let limit = limit ?? patience.limit
        var pauses = Self.firstPauses.makeIterator()
        var waited = Duration.zero
        while true {
            if try take() {
                defer { letGo() }
                do {
                    return try body()
                } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                    // Another program writes.
                }
            }
            guard waited < limit else { throw JobsError.locked(for: limit) }
            let pause = min(pauses.next() ?? Self.longestPause, limit - waited)
            patience.sleep(pause)
            waited += pause
        }
    }

    private func take() throws(JobsError) -> Bool {
        guard let descriptor else { return true }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            guard errno == EINTR else {
                throw JobsError(.io, "cannot lock the job database: \(String(cString: strerror(errno)))")
            }
        }
        return true
    }

    /// Not by closing the file: a child process may have a copy of the descriptor between its fork and its exec.
    private func letGo() {
        if let descriptor { _ = flock(descriptor, LOCK_UN) }
    }

    /// It gets the database's mode, and its owner where root makes it, as SQLite's own files beside it do: who may write to
    /// the one can lock the other.
    private static func openFile(beside database: String) throws(JobsError) -> Int32 {
        let path = database + suffix
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, PrivateFiles.fileMode)
        guard file >= 0 else { throw JobsError(.io, "cannot open \(path): \(String(cString: strerror(errno)))") }
        var status = stat()
        if stat(database, &status) == 0 {
            _ = fchmod(file, status.st_mode & 0o777)
            if geteuid() == 0 { _ = fchown(file, status.st_uid, status.st_gid) }
        }
        return file
    }
}
