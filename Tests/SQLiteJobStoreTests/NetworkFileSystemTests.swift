import Foundation
import Jobs
import Testing

@testable import SQLiteJobStore

@Suite("Network file systems")
struct NetworkFileSystemTests {
    @Test(
        "are known by the types that Linux gives them",
        arguments: [
            (0x6969, "NFS"), (0x517B, "SMB"), (0xFF53_4D42, "SMB"), (0xFE53_4D42, "SMB"), (0x5346_414F, "AFS"),
            (0x6B41_4653, "AFS"), (0x00C3_6400, "Ceph"), (0x0BD0_0BD0, "Lustre"), (0x0116_1970, "GFS2"),
            (0x7461_636F, "OCFS2"), (0x4750_4653, "GPFS"),
        ] as [(UInt32, String)])
    func network(_ type: UInt32, _ name: String) {
        #expect(NetworkFileSystem.name(ofType: type) == name)
    }

    // ext4, XFS, Btrfs, tmpfs, overlay; FUSE and 9p.
    @Test(
        "are not those of local disks, nor those that may be local",
        arguments: [
            0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0x6573_5546, 0x0102_1997,
        ] as [UInt32])
    func local(_ type: UInt32) {
        #expect(NetworkFileSystem.name(ofType: type) == nil)
    }

    @Test("the folder of the tests is taken, one that is not there is told")
    func folders() throws {
        try NetworkFileSystem.refuse(FileManager.default.temporaryDirectory.path)
        let error = try #require(throws: JobsError.self) { try NetworkFileSystem.refuse("/nowhere/at/all") }
        #expect(error.code == .io && error.message.contains("/nowhere/at/all"))
    }

    @Test("who is refused is told which folder, what it is on, and what to do")
    func refusal() {
        let error = NetworkFileSystem.refusal(of: "/mnt/share", on: "NFS")
        #expect(error.code == .io)
        for word in ["/mnt/share", "NFS", "data_dir", "store.url", "postgres://"] {
            #expect(error.message.contains(word), "\(error)")
        }
    }
}
