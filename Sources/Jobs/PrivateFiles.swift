import Foundation

/// Files and folders that nobody may look into but their owner and, for reading, the owner's group. A stricter umask
/// holds.
public enum PrivateFiles {
    /// Of new files, blobs among them.
    public static let fileMode: mode_t = 0o640
    /// Of new folders.
    public static let folderMode: mode_t = 0o750

    private static let others: mode_t = 0o007

    /// Makes a folder, and those above it that are missing. New ones are on the disk when this returns: what is kept in
    /// a folder is lost where a power loss takes the folder's own name.
    public static func makeFolders(_ path: String) throws(JobsError) {
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        if mkdir(path, folderMode) == 0 { return try synchronise(folder: parent) }
        var reason = errno
        if reason == ENOENT, parent != path {
            try makeFolders(parent)
            if mkdir(path, folderMode) == 0 { return try synchronise(folder: parent) }
            reason = errno
        }
        guard let mode = mode(of: path), mode & S_IFMT == S_IFDIR else {
            throw JobsError(.io, "cannot make the folder \(path): \(String(cString: strerror(reason)))")
        }
    }

    /// Makes an empty file where there is none; of one that is there, takes away what others may do.
    public static func makeFile(_ path: String) throws(JobsError) {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, fileMode)
        guard file >= 0 else { throw JobsError(.io, "cannot open \(path): \(String(cString: strerror(errno)))") }
        close(file)
        closeToOthers(path)
    }

    /// Takes away what others may do to a file, where there is one. Somebody else's stays as it is.
    public static func closeToOthers(_ path: String) {
        guard let mode = mode(of: path), mode & others != 0 else { return }
        _ = chmod(path, mode & 0o7777 & ~others)
    }

    /// Writes a folder's entries to the disk; see NOTES of fsync(2).
    private static func synchronise(folder path: String) throws(JobsError) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        var code = folder < 0 ? errno : 0
        if folder >= 0 {
            repeat { code = fsync(folder) == 0 ? 0 : errno } while code == EINTR
            close(folder)
        }
        guard code == 0 else {
            throw JobsError(.io, "cannot write the folder \(path) to the disk: \(String(cString: strerror(code)))")
        }
    }

    private static func mode(of path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode : nil
    }
}
