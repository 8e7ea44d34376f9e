import Foundation
import Jobs

/// What tells one database from another: a random name beside its file, made at the first start.
enum Installation {
    private static let suffix = ".installation"

    /// - Parameter database: the path of its file.
    /// - Throws: ``JobsError/Code/io``.
    static func id(of database: String) throws(JobsError) -> String {
        let path = database + suffix
        if let id = read(path) { return id }
        // Linked when it is whole: of two processes that start together both read the same.
        let draft = "\(path).\(UUID().uuidString)"
        defer { unlink(draft) }
        guard FileManager.default.createFile(atPath: draft, contents: Data((UUID().uuidString + "\n").utf8)),
            link(draft, path) == 0 || errno == EEXIST, let id = read(path)
        else { throw JobsError(.io, "cannot make \(path): \(String(cString: strerror(errno)))") }
        return id
    }

    private static func read(_ path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? nil : text
    }
}
