import ServiceHarness
import Testing

@testable import Media

@Suite("What a file is by its first bytes")
struct SourceFormatTests {
    private static let box: [UInt8] = [0, 0, 0, 24]
    private static let signatures: [([UInt8], SourceFormat)] = [
        (box + Array("ftypisom".utf8), .video(.mp4)),
        (box + Array("moov".utf8), .video(.mp4)),
        ([0x1A, 0x45, 0xDF, 0xA3, 0x9F], .video(.matroska)),
        (Array("RIFF\u{1}\u{2}\u{3}\u{4}AVI LIST".utf8), .video(.avi)),
        (Array("RIFF\u{1}\u{2}\u{3}\u{4}WEBPVP8 ".utf8), .image(.webp)),
        ([0xFF, 0xD8, 0xFF, 0xE0], .image(.jpeg)),
        ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], .image(.png)),
        ([0x42, 0x4D, 1, 2, 3, 4, 0, 0, 0, 0, 54, 0, 0, 0], .image(.bmp)),
        (Array("II*\0".utf8), .image(.tiff)),
        (Array("MM\0*".utf8), .image(.tiff)),
        (Array("PK\u{3}\u{4}".utf8), .archive(.zip)),
        ([0x1F, 0x8B, 0x08, 0x00], .archive(.tarGzip)),
        (TestArchive.tar([.init(name: "1.png")]), .archive(.tar)),
    ]

    @Test("a file is recognised by its signature", arguments: signatures)
    func recognises(bytes: [UInt8], format: SourceFormat) {
        #expect(SourceFormat.recognise(bytes) == format)
    }

    @Test(
        "playlists, scripts, text, transport streams and nothing at all are refused",
        arguments: [
            "", "R", "RIFF", "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "<?xml version=\"1.0\"?><MPD></MPD>",
            "ffconcat version 1.0\nfile 'a.mp4'\n", "hello, this is no video", "BM is not a bitmap here",
            "\u{47}\(String(repeating: "\u{0}", count: 187))\u{47}", "FLV\u{1}\u{5}", "OggS", "%PDF-1.4",
        ])
    func refuses(text: String) {
        #expect(SourceFormat.recognise(text.utf8) == nil)
    }

    @Test("every prefix of a signature is refused or recognised without a trap")
    func survivesShortInput() {
        let signatures: [[UInt8]] = [
            Self.box + Array("ftypisom".utf8), Array("RIFF0000AVI ".utf8), TestArchive.tar([.init(name: "a")]),
        ]
        for bytes in signatures {
            for count in 0...bytes.count { _ = SourceFormat.recognise(bytes.prefix(count)) }
            #expect(SourceFormat.recognise(bytes) != nil)
        }
    }
}

@Suite("Natural order of names")
struct NaturalOrderTests {
    @Test("digits count by their value, folders by themselves, and the order is total")
    func sorts() {
        let sorted = [
            "1.jpg", "01.jpg", "2.jpg", "10.jpg", "100000000000000000000000000000.jpg", "a/10.jpg", "a-b/2.jpg",
            "img", "img2.jpg", "img2_2.jpg", "img2_10.jpg", "img10.jpg", "img010a.jpg", "öl2", "öl10",
        ]
        let result = sorted.shuffled().sorted { NaturalOrder.precedes($0, $1) }
        #expect(Set(result) == Set(sorted))
        for (a, b) in zip(result, result.dropFirst()) {
            #expect(NaturalOrder.precedes(a, b) && !NaturalOrder.precedes(b, a), "\(a) \(b)")
        }
        func isBefore(_ a: String, _ b: String) -> Bool { NaturalOrder.precedes(a, b) }
        #expect(isBefore("img2.jpg", "img10.jpg"))
        #expect(isBefore("img2_2.jpg", "img2_10.jpg"))
        #expect(isBefore("a/10.jpg", "a-b/2.jpg"))
        #expect(isBefore("9.jpg", "100000000000000000000000000000.jpg"))
        #expect(isBefore("öl2", "öl10"))
        #expect(isBefore("frame", "frame_1"))
        #expect(!isBefore("same", "same"))
    }
}

@Suite("Whether an image is whole")
struct ImageIntegrityTests {
    @Test("a JPEG or PNG that is cut anywhere is found out", arguments: [ImageFormat.jpeg, .png])
    func findsCuts(format: ImageFormat) throws {
        let image = TestPicture.color(3)
        let bytes = try format == .jpeg ? ImageCodec.jpeg(image) : ImageCodec.png(image)
        #expect(ImageIntegrity.flaw(of: bytes, format: format) == nil)
        for count in stride(from: 0, to: bytes.count, by: 7) {
            #expect(ImageIntegrity.flaw(of: Array(bytes.prefix(count)), format: format) != nil, "\(count) bytes")
        }
    }

    @Test("bytes after the end of a JPEG do no harm, and an end without a picture is no end")
    func readsToTheEnd() throws {
        let bytes = try ImageCodec.jpeg(TestPicture.gray(0))
        #expect(ImageIntegrity.flaw(of: bytes + [1, 2, 3], format: .jpeg) == nil)
        #expect(ImageIntegrity.flaw(of: [0xFF, 0xD8, 0xFF, 0xD9], format: .jpeg) != nil)
    }
}
