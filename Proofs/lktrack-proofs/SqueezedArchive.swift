import Foundation
import ServiceHarness

/// A small archive that unpacks to much.
enum SqueezedArchive {
    /// An image, and so many zeros by the name of another, in a thousandth of the bytes. Up to 64 MiB in all any archive may
    /// unpack to.
    static func make(_ image: TestArchive.Entry, zeros count: Int) throws -> [UInt8] {
        let zeros = TestArchive.Entry(name: "2.png", bytes: [UInt8](repeating: 0, count: count))
        let folder = try TemporaryFolder()
        let path = try folder.write(TestArchive.tar([image, zeros]), to: "zeros.tar")
        let made = try Executable.run("/usr/bin/env", ["gzip", path])
        guard made.status == 0 else { throw ProofError("gzip makes no archive: \(made.standardError)") }
        return Array(try Data(contentsOf: URL(fileURLWithPath: path + ".gz")))
    }
}

extension Material.Sequence {
    /// As an archive has it.
    func firstImage() throws -> TestArchive.Entry {
        let paths = FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? []
        guard let name = paths.sorted().first(where: { $0.hasSuffix(".png") || $0.hasSuffix(".jpg") }) else {
            throw ProofError("the synthetic scene has no image")
        }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + name))
        return TestArchive.Entry(name: "img1.png", bytes: Array(bytes))
    }
}
