import Glibc

extension JobsError {
    /// What a system call on a file failed with: ``Code/storageFull`` or ``Code/io``.
    ///
    /// - Parameters:
    ///   - action: what could not be done, after "cannot".
    ///   - code: of `errno`.
    public static func failure(_ action: String, _ path: String, _ code: Int32) -> JobsError {
        switch code {
        case ENOSPC, EDQUOT: JobsError(.storageFull, "no space left: cannot \(action) \(path)")
        default: JobsError(.io, "cannot \(action) \(path): \(String(cString: strerror(code)))")
        }
    }
}
