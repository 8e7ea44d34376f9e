import CLinux
import Foundation
import Jobs

/// File systems that several machines share: SQLite's log needs memory that all who use the database share, and locks that
/// hold, and has neither there (https://www.sqlite.org/wal.html).
enum NetworkFileSystem {
    /// What it is called, by the type that statfs(2) tells; `nil` for any that is not known for one.
    ///
    /// FUSE and 9p are not among them: behind these may be a network, or a folder of this machine (containers, WSL).
    static func name(ofType type: UInt32) -> String? {
        switch type {
        case 0x6969: "NFS"
        case 0x517B, 0xFF53_4D42, 0xFE53_4D42: "SMB"
        case 0x5346_414F, 0x6B41_4653: "AFS"
        case 0x00C3_6400: "Ceph"
        case 0x0BD0_0BD0: "Lustre"
        case 0x0116_1970: "GFS2"
        case 0x7461_636F: "OCFS2"
        case 0x4750_4653: "GPFS"
        case 0x1983_0326: "BeeGFS"
        case 0x2003_0528: "OrangeFS"
        case 0xAAD7_AAEA: "PanFS"
        case 0x7375_7245: "Coda"
        default: nil
        }
    }

    /// - Throws: ``JobsError/Code/io`` where a folder is on one, or that cannot be seen.
    static func refuse(_ folder: String) throws(JobsError) {
        var type: UInt32 = 0
        guard clinux_file_system_type(folder, &type) == 0 else {
            throw JobsError(
                .io, "cannot see which file system \(folder) is on: \(String(cString: strerror(errno)))")
        }
        if let name = name(ofType: type) { throw refusal(of: folder, on: name) }
    }

    static func refusal(of folder: String, on name: String) -> JobsError {
        JobsError(
            .io,
            "\(folder) is on \(name), a network file system, where SQLite would lose jobs. Move data_dir, or the file that "
                + "store.url names, to a local disk, or let store.url name a PostgreSQL database (postgres://…)")
    }
}
