import Foundation

/// Files and folders that nobody may look into but their owner and, for reading, the owner's group. A stricter umask
/// holds.
public enum PrivateFiles {
    /// Of new files, blobs among them.
    public static let fileMode: mode_t = 0o640
    /// Of new folders.
    public static let folderMode: mode_t = 0o750

    private static let others: mode_t = 0o007

    /// Makes a folder, and those above it that are missing.
    public static func makeFolders(_ path: String) throws(JobsError) {
        guard mkdir(path, folderMode) != 0 else { return }
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        if errno == ENOENT, parent != path {
            try makeFolders(parent)
            guard mkdir(path, folderMode) != 0 else { return }
        }
        let reason = errno
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

    private static func mode(of path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode : nil
    }
}
