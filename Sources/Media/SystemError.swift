import Glibc

/// A descriptor that is closed when its owner goes away.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    /// Takes what a system call returned, or throws what `errno` says.
    convenience init(checking number: Int32, _ what: String) throws(MediaError) {
        guard number >= 0 else { throw MediaError.system(what) }
        self.init(number)
    }
}

extension MediaError {
    /// A failed system call, from `errno`.
    static func system(_ what: String, _ code: Code = .system) -> MediaError {
        MediaError(code, "\(what): \(String(cString: strerror(errno)))")
    }
}
