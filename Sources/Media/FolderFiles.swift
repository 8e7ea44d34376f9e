import Glibc

/// The images of a folder, or of `img` in it where there is such a folder (as in OTB sequences). Hidden files, other
/// files and folders are left out.
final class FolderFiles: ImageFiles {
    private let folder: Descriptor
    private let names: [String]

    init(_ input: Descriptor, limits: DecodeLimits) throws(MediaError) {
        let inner = openat(input.number, "img", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        folder = inner >= 0 ? Descriptor(inner) : input
        names = try Self.images(in: folder).sorted { NaturalOrder.precedes($0, $1) }
        guard names.count <= limits.frames else {
            throw MediaError(.limitExceeded, "it holds \(names.count) images, and \(limits.frames) are allowed")
        }
    }

    var count: Int { names.count }

    func name(_ index: Int) -> String { names[index] }

    func bytes(_ index: Int) throws(MediaError) -> [UInt8] {
        // Without O_NONBLOCK a named pipe would block here.
        let number = openat(folder.number, names[index], O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        let file = try Descriptor(checking: number, "cannot open the file")
        var status = stat()
        guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw MediaError(.undecodable, "it is no file")
        }
        return try file.read(count: Int(status.st_size), at: 0)
    }

    private static func images(in folder: Descriptor) throws(MediaError) -> [String] {
        // closedir(3) closes its descriptor.
        guard let stream = fdopendir(dup(folder.number)) else { throw MediaError.system("cannot read the folder") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                    String(cString: $0)
                }
            }
            if !name.hasPrefix("."), ImageFormat.hasExtension(name) { names.append(name) }
        }
        return names
    }
}

extension Descriptor {
    /// Reads part of an image file.
    func read(count: Int, at offset: Int) throws(MediaError) -> [UInt8] {
        guard count <= ImageFileLimits.bytes else {
            throw MediaError(.limitExceeded, "it has more than \(ImageFileLimits.bytes) bytes")
        }
        var failure = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(number, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
                if got < 0, errno == EINTR { continue }
                failure = got < 0
                if got <= 0 { break }
                filled += got
            }
        }
        if failure { throw MediaError.system("cannot read the file") }
        return bytes
    }
}
