import Foundation
import Jobs
import Testing

@Suite("Private files", .timeLimit(.minutes(1)))
struct PrivateFilesTests {
    private let root = FileManager.default.temporaryDirectory.appendingPathComponent("private-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: root, withIntermediateDirectories: false) }

    @Test("a folder is made with those above it that are missing, closed to others, and may be there already")
    func folders() throws {
        defer { try? FileManager.default.removeItem(at: root) }
        let path = root.path + "/data/blobs/jobs"
        // The second time nothing is to be made.
        for _ in 0..<2 { try PrivateFiles.makeFolders(path) }
        try PrivateFiles.makeFolders(root.path + "/data/owners/")
        for name in ["data", "data/blobs", "data/blobs/jobs", "data/owners"] {
            let found = try FileManager.default.attributesOfItem(atPath: root.path + "/" + name)
            #expect(found[.type] as? FileAttributeType == .typeDirectory)
            #expect((found[.posixPermissions] as? Int ?? 0o777) & 0o007 == 0)
        }
    }

    @Test("a file in a folder's place is told, and stays")
    func fileInTheWay() throws {
        defer { try? FileManager.default.removeItem(at: root) }
        let path = root.path + "/file"
        try Data("a".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: JobsError.self) { try PrivateFiles.makeFolders(path) }
        #expect(throws: JobsError.self) { try PrivateFiles.makeFolders(path + "/below") }
        #expect(FileManager.default.contents(atPath: path) == Data("a".utf8))
    }
}
