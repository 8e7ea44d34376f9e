import LucasKanade
import Media
import ServiceHarness
import Testing

@Suite("Image sequences")
struct ImageSequenceTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func entries(_ count: Int, format: (Int) -> String = { "img\($0).png" }) throws
        -> [TestArchive.Entry]
    {
        try (1...count).map { .init(name: format($0), bytes: try ImageCodec.png(TestPicture.gray($0))) }
    }

    private func frames(_ input: MediaInput, _ request: DecodeRequest = DecodeRequest()) throws -> [Frame] {
        try TestDecoder.open(input, request).remaining()
    }

    private func error(_ archive: [UInt8], limits: DecodeLimits = DecodeLimits()) throws -> MediaError? {
        let path = try folder.write(archive, to: "images")
        return mediaError { _ = try frames(.archive(path: path), DecodeRequest(limits: limits)) }
    }

    private func expectInOrder(_ frames: [Frame], _ count: Int) {
        #expect(frames.map(\.index) == Array(0..<count))
        for frame in frames { #expect(frame.gray.pixels == TestPicture.gray(frame.index + 1).pixels) }
    }

    @Test("a zip or tar in any order is used in the natural order of its names", arguments: [false, true])
    func archivesInNaturalOrder(isZip: Bool) throws {
        var generator = SeededGenerator(state: 3)
        let entries = try Self.entries(12).shuffled(using: &generator)
        let bytes = isZip ? TestArchive.zip(entries) : TestArchive.tar(entries)
        let path = try folder.write(bytes, to: "images")
        let source = try TestDecoder.open(.archive(path: path))
        #expect(
            source.info
                == SourceInfo(
                    width: 48, height: 32, frameCount: 12, frameRate: 30, timeBase: .init(1, 30), codec: "png",
                    isColor: false))
        let frames = try source.remaining()
        expectInOrder(frames, 12)
        #expect(frames.map(\.pts) == (0..<12).map { Int64($0) })
        #expect(frames.allSatisfy { abs($0.time - Double($0.index) / 30) < 1e-9 })
    }

    @Test("a folder, and img in it where there is one, is read in natural order without what is no image")
    func folders() throws {
        for entry in try Self.entries(11) { try folder.write(entry.bytes, to: "plain/" + entry.name) }
        for name in ["plain/readme.txt", "plain/.hidden.png", "plain/sub/9.png"] { try folder.write([1], to: name) }
        expectInOrder(try frames(.folder(path: folder.file("plain"))), 11)

        for entry in try Self.entries(3) { try folder.write(entry.bytes, to: "otb/img/" + entry.name) }
        try folder.write([1, 2], to: "otb/0.png")
        expectInOrder(try frames(.folder(path: folder.file("otb"))), 3)
        #expect(mediaError { _ = try frames(.folder(path: folder.file("plain/sub"))) }?.code == .undecodable)
    }

    @Test("hidden files, __MACOSX, folders and other files in an archive are left out")
    func leavesOut() throws {
        let images = try Self.entries(3) { "./Clip/img/000\($0).png" }
        let others: [TestArchive.Entry] = [
            .init(name: "Clip/", kind: "5"), .init(name: "Clip/groundtruth_rect.txt", bytes: Array("1,2,3,4".utf8)),
            .init(name: "__MACOSX/Clip/._0001.png", bytes: [0]), .init(name: "Clip/.DS_Store", bytes: [1]),
        ]
        let path = try folder.write(TestArchive.tar(others + images), to: "images.tar")
        expectInOrder(try frames(.archive(path: path)), 3)
    }

    @Test("an image without an image's name is known by its content")
    func namesWithoutExtension() throws {
        let path = try folder.write(TestArchive.tar(try Self.entries(3) { "blob_\($0)" }), to: "images.tar")
        expectInOrder(try frames(.archive(path: path)), 3)
    }

    @Test("colour and grey images of all formats mix; grey is repeated where colour is asked for")
    func mixes() throws {
        let gray = TestPicture.gray(1)
        let color = TestPicture.color(1, width: 48, height: 32)
        try folder.write(ImageCodec.png(gray), to: "1.png")
        try folder.write(ImageCodec.png(color), to: "2.png")
        try folder.write(ImageCodec.jpeg(color, quality: 100), to: "3.jpg")
        let found = try frames(.folder(path: folder.path), DecodeRequest(color: true))
        let images = try found.map { try #require($0.color) }
        #expect(images[0].pixels == gray.pixels.flatMap { [$0, $0, $0] })
        #expect(images[1].pixels == color.pixels)
        #expect(images[2].meanDifference(from: color) < 3)
        #expect(try TestDecoder.open(.folder(path: folder.path)).info.isColor == false)
    }

    @Test("a photo is turned as EXIF says")
    func exifOrientation() throws {
        let picture = TestPicture.color(1)
        let jpeg = try ImageCodec.jpeg(picture, quality: 100)
        // Exif 2.32, 4.5.4: one entry, orientation (0x0112), a short, 6: the first row is the right-hand side.
        let tiff: [UInt8] =
            Array("MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]
        let content = Array("Exif\0\0".utf8) + tiff
        let segment = [0xFF, 0xE1, 0, UInt8(content.count + 2)] + content
        try folder.write(Array(jpeg.prefix(2)) + segment + jpeg.dropFirst(2), to: "1.jpg")
        let frame = try #require(try frames(.folder(path: folder.path)).first)
        #expect((frame.gray.width, frame.gray.height) == (64, 96))
        // Near the blob: (11, 21) turned clockwise.
        #expect(frame.gray[63 - 21, 11] > 130 && frame.gray[10, 80] < 110)
    }

    @Test("a truncated, empty or wrong image in the middle fails naming the frame and the file")
    func damagedImage() throws {
        let jpeg = try ImageCodec.jpeg(TestPicture.gray(4))
        let png = try ImageCodec.png(TestPicture.gray(4))
        var flipped = png
        flipped[png.count / 2] ^= 0xFF
        let damages: [(String, [UInt8])] = [
            ("4.jpg", Array(jpeg.prefix(jpeg.count / 2))), ("4.jpg", Array(jpeg.dropLast(2))), ("4.jpg", []),
            ("4.png", Array(png.prefix(png.count - 20))), ("4.png", flipped), ("4.png", Array("no image".utf8)),
            ("4.bmp", Array("BM".utf8) + [0, 1, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0]),
        ]
        for (name, bytes) in damages {
            var entries = try Self.entries(6) { "\($0).png" }
            entries[3] = .init(name: name, bytes: bytes)
            let error = try #require(try error(TestArchive.tar(entries)), "\(name) \(bytes.count)")
            #expect(error.code == .undecodable)
            #expect(error.frame == 3)
            #expect(error.message.contains("frame 3") && error.message.contains(name), "\(error.message)")
        }
    }

    @Test("an image of another size fails naming the frame and the file")
    func sizeChange() throws {
        var entries = try Self.entries(6)
        entries[4].bytes = try ImageCodec.png(TestPicture.gray(5, width: 47))
        let error = try #require(try error(TestArchive.tar(entries)))
        #expect(error.code == .sizeChanged)
        #expect(error.frame == 4)
        #expect(error.message.contains("img5.png") && error.message.contains("47x32"))
    }

    @Test("limits on pixels, frames and unpacked bytes are kept")
    func limits() throws {
        let archive = TestArchive.tar(try Self.entries(5))
        #expect(try error(archive, limits: DecodeLimits(pixels: 48 * 32, frames: 5)) == nil)
        #expect(try error(archive, limits: DecodeLimits(pixels: 48 * 32 - 1))?.code == .limitExceeded)
        #expect(try error(archive, limits: DecodeLimits(frames: 4))?.code == .limitExceeded)
        let tooLarge = try error(archive, limits: DecodeLimits(archiveBytes: 300))
        #expect(tooLarge?.code == .limitExceeded)
        #expect(tooLarge?.message.contains("300 bytes") == true)
    }

    @Test("an archive that would take space which is left alone is not unpacked, whatever it may have")
    func diskFloor() throws {
        let archive = TestArchive.tar(try Self.entries(5))
        #expect(try error(archive, limits: DecodeLimits(diskFloorBytes: 1)) == nil)
        let full = try #require(try error(archive, limits: DecodeLimits(diskFloorBytes: .max)))
        #expect(full.code == .storageFull)
        #expect(full.message.contains("left alone"))
    }

    @Test("an archive or folder without images has no frames")
    func noImages() throws {
        for archive in [
            TestArchive.tar([.init(name: "readme.txt", bytes: [65])]),
            TestArchive.zip([.init(name: "readme.txt", bytes: [65])]),
        ] {
            #expect(try error(archive)?.code == .noFrames)
        }
        #expect(try error(TestArchive.zip([])) != nil)
        let empty = try TemporaryFolder()
        #expect(mediaError { _ = try frames(.folder(path: empty.path)) }?.code == .noFrames)
    }

    @Test("hostile archives are refused, and leave nothing behind")
    func hostileArchives() throws {
        let image = try Self.entries(1)[0]
        let hostile = HostileArchives.all(image)
        #expect(hostile.count >= 15)
        for (name, archive) in hostile {
            let error = try #require(try error(archive), "\(name) was accepted")
            #expect(error.code == .undecodable, "\(name): \(error.message)")
        }
        #expect(folder.names == ["images"])
    }

    @Test("an archive that unpacks to far more than it is, is refused", .enabled(if: Gzip.isInstalled))
    func bomb() throws {
        let zeros = [UInt8](repeating: 0, count: 100 << 20)
        let tar = TestArchive.tar([.init(name: "1.bmp", bytes: zeros)])
        let path = try folder.write(tar, to: "bomb.tar")
        try Gzip.compress(path)
        let error = mediaError { _ = try frames(.archive(path: path + ".gz")) }
        #expect(error?.code == .limitExceeded)
        #expect(error?.message.contains("compression ratio") == true)
        let honest = try folder.write(TestArchive.tar(try Self.entries(4)), to: "honest.tar")
        try Gzip.compress(honest)
        expectInOrder(try frames(.archive(path: honest + ".gz")), 4)
    }

    @Test("a single image is a source of one frame; what is none is refused, with its reason")
    func oneImage() throws {
        let png = try ImageCodec.png(TestPicture.gray(1))
        let path = try folder.write(png, to: "picture")
        let source = try TestDecoder.open(.image(path: path))
        #expect(source.info.frameCount == 1 && source.info.codec == "png")
        let frames = try source.remaining()
        #expect(frames.count == 1 && frames.first?.gray.pixels == TestPicture.gray(1).pixels)
        let cut = try folder.write(Array(png.prefix(png.count / 2)), to: "cut")
        let broken = mediaError { _ = try self.frames(.image(path: cut)) }
        #expect(broken?.code == .undecodable && broken?.message.hasPrefix("the image cannot be decoded") == true)
        let zip = try folder.write(TestArchive.zip(try Self.entries(1)), to: "zip")
        #expect(mediaError { _ = try self.frames(.image(path: zip)) }?.code == .undecodable)
        let limits = DecodeLimits(pixels: 100)
        #expect(mediaError { _ = try self.frames(.image(path: path), .init(limits: limits)) }?.code == .limitExceeded)
    }
}
