import CLinux
import Foundation
import Jobs

/// The system calls of the store, with their errors put into words.
enum FileSystem {
    /// What the last system call failed with.
    static func failure(_ action: String, _ path: String, _ code: Int32 = errno) -> JobsError {
        .failure(action, path, code)
    }

    /// Opens for reading; `nil` where there is no such file, or it is no regular one.
    static func openForReading(_ path: String) throws(JobsError) -> Int32? {
        let descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR || errno == ELOOP { return nil }
            throw failure("open", path)
        }
        guard let status = status(descriptor), status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// How often another file is made where somebody took the one before for abandoned.
    private static let creationRounds = 8

    /// Makes the file in which a blob is written, and takes its lock: as long as the descriptor is open, the file is not
    /// taken for one that a dead process left behind.
    static func createLocked(
        in folder: String, for name: String
    ) throws(JobsError) -> (descriptor: Int32, path: String) {
        for _ in 0..<creationRounds {
            let path = "\(folder)/\(PartName.make(name))"
            let descriptor = retrying {
                open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, PrivateFiles.fileMode)
            }
            guard descriptor >= 0 else { throw failure("create", path) }
            PrivateFiles.giveToOwner(ofFolder: folder, descriptor)
            let code = flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : errno
            // Before it had its lock, it may have been swept.
            if code == 0, let status = status(descriptor), status.st_nlink > 0 { return (descriptor, path) }
            close(descriptor)
            unlink(path)
            guard code == 0 || code == EWOULDBLOCK else { throw failure("lock", path, code) }
        }
        throw JobsError(.io, "cannot create a file in \(folder): it was removed again and again")
    }

    /// Makes a file and takes its name away at once. (`O_TMPFILE` is not there on every file system.) One that a dead
    /// process left between the two is named like an unfinished blob, and goes with those.
    static func createNameless(in folder: String) throws(JobsError) -> Int32 {
        let (descriptor, path) = try createLocked(in: folder, for: "scratch")
        guard unlink(path) == 0 else {
            let code = errno
            close(descriptor)
            throw failure("remove", path, code)
        }
        return descriptor
    }

    /// Opens a file for reading and writing, makes it where it is not there, and takes its lock.
    ///
    /// - Returns: `nil` where the file or its folder was renamed or removed meanwhile: try again.
    /// - Throws: ``JobsError/Code/locked`` where another descriptor has the lock.
    static func openLocked(_ path: String) throws(JobsError) -> Int32? {
        let descriptor = retrying { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, PrivateFiles.fileMode) }
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("open", path)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            throw code == EWOULDBLOCK
                ? JobsError(.locked, "\(path) is being written by another") : failure("lock", path, code)
        }
        var named = stat()
        guard lstat(path, &named) == 0, let own = status(descriptor), named.st_ino == own.st_ino,
            named.st_dev == own.st_dev
        else {
            unlockAndClose(descriptor)
            return nil
        }
        return descriptor
    }

    /// Lets go of the lock at once: a child process may have a copy of the descriptor between its fork and its exec.
    static func unlockAndClose(_ descriptor: Int32) {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    static func truncate(_ descriptor: Int32, to size: Int64, path: String) throws(JobsError) {
        guard retrying({ ftruncate(descriptor, off_t(size)) }) >= 0 else { throw failure("shorten", path) }
    }

    /// Whether nobody holds the lock of ``createLocked(in:for:)``.
    static func isAbandoned(_ path: String) -> Bool {
        guard let descriptor = lockAbandoned(path) else { return false }
        close(descriptor)
        return true
    }

    /// Removes a file whose lock nobody holds, and holds it meanwhile: who makes a file sees then that it was taken away.
    static func removeAbandoned(_ path: String) throws(JobsError) {
        guard let descriptor = lockAbandoned(path) else { return }
        defer { close(descriptor) }
        try removeFile(path)
    }

    private static func lockAbandoned(_ path: String) -> Int32? {
        let descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    static func status(_ descriptor: Int32) -> stat? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status : nil
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func isFile(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Nanoseconds since 1970.
    static func modificationTime(_ path: String) -> Int {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec : 0
    }

    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int64, path: String)
        throws(JobsError)
    {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("write to", path)
            }
            done += count
        }
    }

    /// Up to the buffer's size; less only at the end of the file.
    static func read(into buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32, at offset: Int64, path: String)
        throws(JobsError) -> Int
    {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("read", path)
            }
            done += count
        }
        return done
    }

    static func synchronise(_ descriptor: Int32, path: String) throws(JobsError) {
        while fsync(descriptor) != 0 {
            if errno != EINTR { throw failure("write to the disk", path) }
        }
    }

    static func synchronise(folder path: String) throws(JobsError) {
        guard clinux_fsync_directory(path) == 0 else { throw failure("write to the disk", path) }
    }

    /// Makes a folder and those above it, durably. Mostly it is there, which is quickly seen.
    static func makeFolders(_ path: String) throws(JobsError) {
        if !isFolder(path) { try PrivateFiles.makeFolders(path) }
    }

    /// The names in a folder, without `.` and `..`; none where there is no folder.
    static func names(in folder: String) throws(JobsError) -> [String] {
        guard let stream = opendir(folder) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw failure("list", folder)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw failure("list", folder) }
                return names
            }
            let length = Int(entry.pointee.d_reclen) - (MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix(length).prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
    }

    /// Removes a file; no error where there is none.
    static func removeFile(_ path: String) throws(JobsError) {
        guard unlink(path) != 0, errno != ENOENT, errno != ENOTDIR else { return }
        throw failure("remove", path)
    }

    /// Removes a folder and all that is in it; no error where there is none. What a writer adds meanwhile is removed in
    /// another round.
    static func removeFolder(_ path: String) throws(JobsError) {
        for _ in 0..<removalRounds {
            for name in try names(in: path) {
                let child = "\(path)/\(name)"
                if isFolder(child) { try removeFolder(child) } else { try removeFile(child) }
            }
            if rmdir(path) == 0 || errno == ENOENT || errno == ENOTDIR { return }
            guard errno == ENOTEMPTY || errno == EEXIST else { break }
        }
        throw failure("remove the folder", path)
    }

    private static let removalRounds = 8

    /// Removes the folders below one that hold no file, at any depth.
    static func removeEmptyFolders(in path: String) throws(JobsError) {
        for name in try names(in: path) {
            let child = "\(path)/\(name)"
            guard isFolder(child) else { continue }
            try removeEmptyFolders(in: child)
            guard rmdir(child) == 0 || errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT else {
                throw failure("remove the folder", child)
            }
        }
    }

    private static func retrying(_ call: () -> Int32) -> Int32 {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }
}
