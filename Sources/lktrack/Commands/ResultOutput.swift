import Glibc

/// Standard output or a file. A file takes its name when it is whole: a run that fails leaves what was there before.
final class ResultOutput {
    /// Results are handed on in pieces of about this size.
    static let pieceBytes = 64 * 1024

    private let descriptor: Int32
    private let path: String?
    /// What is written to until the end; `nil` where that is `path` itself, `/dev/null` or a pipe.
    private let draft: String?

    init(path: String?) throws(CommandFailure) {
        self.path = path
        guard let path else {
            (descriptor, draft) = (STDOUT_FILENO, nil)
            return
        }
        var present = stat()
        let isSpecial = stat(path, &present) == 0 && present.st_mode & S_IFMT != S_IFREG
        draft = isSpecial ? nil : "\(path).draft"
        descriptor = open(draft ?? path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    deinit {
        if let draft { unlink(draft) }
    }

    func write(_ bytes: inout [UInt8]) throws(CommandFailure) {
        guard Console.write(bytes, to: descriptor) else { throw Self.failure(path) }
        bytes.removeAll(keepingCapacity: true)
    }

    func finish() throws(CommandFailure) {
        guard let path else { return }
        guard close(descriptor) == 0, draft.map({ rename($0, path) == 0 }) ?? true else { throw Self.failure(path) }
    }

    private static func failure(_ path: String?) -> CommandFailure {
        CommandFailure(
            .cannotCreate, "\(path ?? "standard output"): cannot be written: \(String(cString: strerror(errno)))")
    }
}
