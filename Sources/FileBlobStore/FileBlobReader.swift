import Foundation
import Jobs

/// One open file. Immutable but for the file itself, and read by position: any number of threads may share it.
final class FileBlobReader: BlobReader {
    let count: Int64
    private let descriptor: Int32
    private let path: String

    /// Takes over the descriptor.
    init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
        count = FileSystem.status(descriptor).map { Int64($0.st_size) } ?? 0
    }

    deinit { close(descriptor) }

    var fileDescriptor: Int32? { descriptor }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try FileSystem.read(into: buffer, from: descriptor, at: offset, path: path)
    }
}
