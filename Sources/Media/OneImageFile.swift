import Glibc

/// An input that is a single image.
final class OneImageFile: ImageFiles {
    private let input: Descriptor

    init(_ input: Descriptor) { self.input = input }

    let count = 1

    func name(_ index: Int) -> String { "image" }
    func label(_ index: Int) -> String { "the image" }

    func bytes(_ index: Int) throws(MediaError) -> [UInt8] {
        var status = stat()
        guard fstat(input.number, &status) == 0 else { throw MediaError.system("cannot look at the input") }
        return try input.read(count: Int(status.st_size), at: 0)
    }
}
