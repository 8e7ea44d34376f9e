import Foundation

/// Files and folders that nobody may look into but their owner and, for reading, the owner's group. A stricter umask
/// holds.
///
/// What root makes is the owner's of the folder that it stands in: a command by hand (`sudo lktrack keys create`) leaves
/// nothing that a service of another user cannot open.
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
        if try makeFolder(path, in: parent) { return }
        var reason = errno
        if reason == ENOENT, parent != path {
            try makeFolders(parent)
            if try makeFolder(path, in: parent) { return }
            reason = errno
        }
        guard let mode = mode(of: path), mode & S_IFMT == S_IFDIR else {
            throw .failure("make the folder", path, reason)
        }
    }

    private static func makeFolder(_ path: String, in parent: String) throws(JobsError) -> Bool {
        guard mkdir(path, folderMode) == 0 else { return false }
        if let owner = owner(ofFolder: parent) { _ = chown(path, owner.user, owner.group) }
        try synchronise(folder: parent)
        return true
    }

    /// Makes an empty file where there is none; of one that is there, takes away what others may do.
    public static func makeFile(_ path: String) throws(JobsError) {
        let new = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, fileMode)
        if new >= 0 { giveToOwner(ofFolder: URL(fileURLWithPath: path).deletingLastPathComponent().path, new) }
        let file = new >= 0 ? new : open(path, O_RDWR | O_CREAT | O_CLOEXEC, fileMode)
        guard file >= 0 else { throw .failure("open", path, errno) }
        close(file)
        closeToOthers(path)
    }

    /// Where root has made a file in somebody's folder, it is that one's. Nothing else may give a file away.
    public static func giveToOwner(ofFolder folder: String, _ descriptor: Int32) {
        if let owner = owner(ofFolder: folder) { _ = fchown(descriptor, owner.user, owner.group) }
    }

    /// `nil` where this process cannot give anything away.
    private static func owner(ofFolder path: String) -> (user: uid_t, group: gid_t)? {
        var status = stat()
        guard geteuid() == 0, stat(path, &status) == 0 else { return nil }
        return (status.st_uid, status.st_gid)
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
        guard code == 0 else { throw .failure("write to the disk", path, code) }
    }

    private static func mode(of path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode : nil
    }
}
