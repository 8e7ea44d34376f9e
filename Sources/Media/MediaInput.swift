import CLinux
import Glibc

extension MediaInput {
    /// What a file or folder is, by its first bytes. Throws ``MediaError/Code/notFound`` and
    /// ``MediaError/Code/undecodable``, with the path in the message.
    public static func recognise(path: String) throws(MediaError) -> MediaInput {
        let descriptor = try openInput(path)
        do throws(MediaError) {
            if try isFolder(descriptor) { return .folder(path: path) }
            switch try format(of: descriptor) {
            case .video: return .video(path: path)
            case .archive: return .archive(path: path)
            case .image:
                throw MediaError(.undecodable, "it is one image; a sequence is a folder, a zip or a tar of images")
            }
        } catch {
            throw MediaError(error.code, "cannot read \(path): \(error.message)")
        }
    }

    /// Opens the input for a decoder, which learns no path, and finds the one parser that may see it.
    func open() throws(MediaError) -> (descriptor: Descriptor, kind: DecoderTask.InputKind) {
        switch self {
        case .folder(let path):
            let descriptor = try Self.openInput(path)
            guard try Self.isFolder(descriptor) else { throw MediaError(.undecodable, "it is no folder") }
            return (descriptor, .folder)
        case .video(let path):
            let descriptor = try Self.openFile(path)
            guard case .video(let container) = try Self.format(of: descriptor) else {
                throw MediaError(.undecodable, "it is no video but an archive or an image")
            }
            return (descriptor, .video(container))
        case .archive(let path):
            let descriptor = try Self.openFile(path)
            guard case .archive(let format) = try Self.format(of: descriptor) else {
                throw MediaError(.undecodable, "it is neither a zip nor a tar")
            }
            return (descriptor, .archive(format))
        case .image(let path):
            let descriptor = try Self.openFile(path)
            guard case .image = try Self.format(of: descriptor) else {
                throw MediaError(.undecodable, "it is no image")
            }
            return (descriptor, .image)
        }
    }

    /// Where the decoder may keep what it unpacks: beside the input where that can be written to, or where the system
    /// keeps temporary files. The file has no name.
    func openSpool() throws(MediaError) -> Descriptor {
        guard case .archive(let path) = self else {
            return try Descriptor(checking: Glibc.open("/dev/null", O_RDWR | O_CLOEXEC), "cannot open /dev/null")
        }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let number = clinux_open_unnamed(folder)
        if number >= 0 { return Descriptor(number) }
        let temporary = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        return try Descriptor(
            checking: clinux_open_unnamed(temporary), "cannot make a temporary file in \(temporary)")
    }

    private static func openInput(_ path: String) throws(MediaError) -> Descriptor {
        // Without O_NONBLOCK a named pipe would block here.
        let number = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if number < 0 { throw MediaError.system("cannot open \(path)", errno == ENOENT ? .notFound : .system) }
        return Descriptor(number)
    }

    private static func openFile(_ path: String) throws(MediaError) -> Descriptor {
        let descriptor = try openInput(path)
        guard try mode(of: descriptor) == S_IFREG else { throw MediaError(.undecodable, "it is no file") }
        return descriptor
    }

    private static func isFolder(_ descriptor: Descriptor) throws(MediaError) -> Bool {
        try mode(of: descriptor) == S_IFDIR
    }

    private static func mode(of descriptor: Descriptor) throws(MediaError) -> mode_t {
        var status = stat()
        guard fstat(descriptor.number, &status) == 0 else { throw MediaError.system("cannot look at the input") }
        return status.st_mode & S_IFMT
    }

    private static func format(of descriptor: Descriptor) throws(MediaError) -> SourceFormat {
        var prefix = [UInt8](repeating: 0, count: SourceFormat.prefixLength)
        let count = pread(descriptor.number, &prefix, prefix.count, 0)
        guard count >= 0 else { throw MediaError.system("cannot read the input") }
        guard count > 0 else { throw MediaError(.undecodable, "the file is empty (0 bytes)") }
        guard let format = SourceFormat.recognise(prefix[..<count]) else {
            throw MediaError(
                .undecodable,
                "it is none of the formats that are understood: MP4, MOV, Matroska, WebM or AVI video; zip or tar of "
                    + "images")
        }
        return format
    }
}
