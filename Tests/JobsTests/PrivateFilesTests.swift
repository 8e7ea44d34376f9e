import Foundation
import Jobs
import Testing

@Suite("Private files", .timeLimit(.minutes(10)))
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

    @Test(
        "what root makes is the folder's owner's, what is there stays whose it is",
        .enabled(if: geteuid() == 0, "only root can give files away"))
    func ownership() throws {
        defer { try? FileManager.default.removeItem(at: root) }
        let (user, group) = (uid_t(12_345), gid_t(23_456))
        try #require(chown(root.path, user, group) == 0)
        try PrivateFiles.makeFolders(root.path + "/data/owners")
        try PrivateFiles.makeFile(root.path + "/data/file")
        for name in ["data", "data/owners", "data/file"] {
            let found = try FileManager.default.attributesOfItem(atPath: root.path + "/" + name)
            #expect(found[.ownerAccountID] as? Int == Int(user), "\(name)")
            #expect(found[.groupOwnerAccountID] as? Int == Int(group), "\(name)")
        }
        try #require(chown(root.path + "/data/file", 0, 0) == 0)
        try PrivateFiles.makeFile(root.path + "/data/file")
        let found = try FileManager.default.attributesOfItem(atPath: root.path + "/data/file")
        #expect(found[.ownerAccountID] as? Int == 0)
    }
}
