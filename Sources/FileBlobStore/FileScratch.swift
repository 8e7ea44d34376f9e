import Foundation
import Jobs
import Synchronization

/// A file without a name, so that nothing is left of it, however the process ends.
final class FileScratch: ScratchFile {
    private let descriptor: Int32
    private let folder: String
    private let count = Mutex<Int64>(0)

    init(folder: String) throws(JobsError) {
        self.folder = folder
        descriptor = try FileSystem.createNameless(in: folder)
    }

    deinit { close(descriptor) }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        try count.withLock { count in
            try FileSystem.write(bytes, to: descriptor, at: count, path: "a scratch file in \(folder)")
            count += Int64(bytes.count)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try FileSystem.read(into: buffer, from: descriptor, at: offset, path: "a scratch file in \(folder)")
    }
}
