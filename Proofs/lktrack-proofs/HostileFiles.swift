import Foundation
import ServiceHarness

/// More than fifty files that no honest client sends.
final class HostileFiles {
    struct File {
        var what: String
        var name: String
        var bytes: [UInt8]
        var isPlaylist = false
    }

    let folder: TemporaryFolder
    /// Videos and a picture that can be read, and that playlists name: by their paths, and as their siblings.
    let canaries: [String]
    /// The video of somebody else's job, which playlists name, too.
    let neighbour: String
    private(set) var all: [File] = []

    init(canaryPort: Int, neighbour: String) throws {
        folder = try TemporaryFolder()
        self.neighbour = neighbour
        let clips = try Self.clips(in: folder)
        canaries = clips.map { [folder] in folder.path("base.\($0.name)") } + [try Self.picture(in: folder)]
        addPlaylists(canaryPort, clips)
        addTruncated(clips)
        addAbsurdHeaders(clips)
        addDamaged(clips)
        addRecursive(clips)
    }

    /// The form field for a file, by its name.
    static func field(_ name: String, _ path: String) -> String {
        let isArchive = [".zip", ".tar", ".gz"].contains { name.hasSuffix($0) }
        return "\(isArchive ? "archive" : "video")=@\(path)"
    }

    /// The same short video in each container.
    private static func clips(in folder: TemporaryFolder) throws -> [(name: String, bytes: [UInt8])] {
        let video = try Material.syntheticVideo(frames: 20, size: "160x120")
        return try ["mp4", "mkv", "avi"].map { kind in
            let path = folder.path("base.\(kind)")
            let made = try Executable.run(
                "/usr/bin/env",
                ["ffmpeg", "-v", "error", "-y", "-i", video.path, "-c:v", kind == "avi" ? "mpeg4" : "libx264", path])
            guard made.status == 0 else { throw ProofError("ffmpeg makes no \(kind): \(made.standardError)") }
            return (kind, Array(try Data(contentsOf: URL(fileURLWithPath: path))))
        }
    }

    private static func picture(in folder: TemporaryFolder) throws -> String {
        let path = folder.path("base.png")
        let made = try Executable.run(
            "/usr/bin/env",
            ["ffmpeg", "-v", "error", "-y", "-i", folder.path("base.mp4"), "-frames:v", "1", path])
        guard made.status == 0 else { throw ProofError("ffmpeg makes no picture: \(made.standardError)") }
        return path
    }

    /// By any name, and behind each container's signature.
    private func addPlaylists(_ port: Int, _ clips: [(name: String, bytes: [UInt8])]) {
        let local = "file://" + folder.path("base.mp4")
        let remote = "http://127.0.0.1:\(port)/clip.mp4"
        let texts: [(String, String)] = [
            ("HLS of a file", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n\(local)\n#EXT-X-ENDLIST\n"),
            ("HLS of a sibling", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nbase.mp4\n#EXT-X-ENDLIST\n"),
            (
                "HLS of somebody's video",
                "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n\(neighbour)\n#EXT-X-ENDLIST\n"
            ),
            ("HLS of a URL", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n\(remote)\n#EXT-X-ENDLIST\n"),
            (
                "HLS of a key",
                "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"\(remote)\"\n#EXTINF:10,\n\(local)\n#EXT-X-ENDLIST\n"
            ),
            (
                "DASH",
                "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\"><Period>"
                    + "<AdaptationSet><Representation id=\"1\"><BaseURL>\(remote)</BaseURL></Representation>"
                    + "</AdaptationSet></Period></MPD>"
            ),
            ("ffconcat of a file", "ffconcat version 1.0\nfile '\(folder.path("base.mp4"))'\n"),
            ("ffconcat of siblings", "ffconcat version 1.0\nfile 'base.mp4'\nfile base.mkv\nfile base.avi\n"),
            ("ffconcat of pictures", "ffconcat version 1.0\nfile base.png\nfile '\(folder.path("base.png"))'\n"),
            ("ffconcat of somebody's video", "ffconcat version 1.0\nfile '\(neighbour)'\n"),
            ("SDP", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video \(port) RTP/AVP 96\n"),
            ("SMIL", "<smil><body><video src=\"\(remote)\"/></body></smil>"),
            ("ASX", "<asx version=\"3.0\"><entry><ref href=\"\(remote)\"/></entry></asx>"),
            ("IMF", "<?xml version=\"1.0\"?><CompositionPlaylist><Id>\(remote)</Id></CompositionPlaylist>"),
        ]
        for (what, text) in texts {
            for name in ["clip.mp4", "clip.avi", "clip.mkv", "frames.zip"] {
                all.append(
                    File(what: "\(what) as \(name)", name: name, bytes: Array(text.utf8), isPlaylist: true))
            }
            for clip in clips {
                let bytes = Array(clip.bytes.prefix(32)) + Array(text.utf8)
                all.append(
                    File(what: "\(what) behind \(clip.name)", name: "c.\(clip.name)", bytes: bytes, isPlaylist: true))
            }
        }
        // ISO/IEC 14496-12, 8.7.2: media in another file.
        if let clip = clips.first(where: { $0.name == "mp4" }),
            let place = clip.bytes.firstRange(of: Array("url ".utf8))
        {
            var bytes = clip.bytes
            bytes[place.upperBound + 3] = 0
            all.append(File(what: "MP4 with its media elsewhere", name: "dref.mp4", bytes: bytes))
        }
    }

    private func addTruncated(_ clips: [(name: String, bytes: [UInt8])]) {
        for clip in clips {
            for share in [0.01, 0.1, 0.5, 0.9, 0.999] {
                let bytes = Array(clip.bytes.prefix(max(12, Int(share * Double(clip.bytes.count)))))
                all.append(File(what: "\(clip.name) cut at \(share)", name: "cut.\(clip.name)", bytes: bytes))
            }
        }
    }

    /// Sizes, counts and scales of nothing, of everything, and of less than nothing.
    private func addAbsurdHeaders(_ clips: [(name: String, bytes: [UInt8])]) {
        let marks = [
            "mp4": ["ftyp", "moov", "trak", "mdhd", "tkhd", "stsd", "stts", "stsc", "stsz", "stco", "avc1", "avcC"],
            "avi": ["hdrl", "avih", "strh", "strf", "movi", "idx1"],
        ]
        for clip in clips {
            for mark in marks[clip.name] ?? [] {
                guard let place = clip.bytes.firstRange(of: Array(mark.utf8)) else { continue }
                for (what, value) in [("ones", UInt8(0xFF)), ("zeros", 0), ("a high bit", 0x80)] {
                    var bytes = clip.bytes
                    let start = min(place.upperBound + 4, bytes.count)
                    for index in start..<min(start + 24, bytes.count) { bytes[index] = value }
                    all.append(
                        File(what: "\(clip.name) with \(what) in \(mark)", name: "absurd.\(clip.name)", bytes: bytes))
                }
                var sized = clip.bytes
                for index in max(0, place.lowerBound - 4)..<place.lowerBound { sized[index] = 0xFF }
                all.append(File(what: "\(clip.name): \(mark) of 4 GiB", name: "size.\(clip.name)", bytes: sized))
            }
        }
        // EBML: an element of 2^56 - 2 bytes; RFC 8794, section 4.
        if let clip = clips.first(where: { $0.name == "mkv" }) {
            for offset in [4, 40, 60, 200] where offset + 8 < clip.bytes.count {
                var bytes = clip.bytes
                bytes.replaceSubrange(offset..<(offset + 8), with: [1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE])
                all.append(File(what: "mkv with a huge element at \(offset)", name: "ebml.mkv", bytes: bytes))
            }
        }
    }

    private func addDamaged(_ clips: [(name: String, bytes: [UInt8])]) {
        for clip in clips {
            for seed in 1...8 {
                var bytes = clip.bytes
                var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
                for _ in 0..<(bytes.count / 100 + 1) {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    bytes[12 + Int(state >> 33) % (bytes.count - 12)] = UInt8(truncatingIfNeeded: state >> 25)
                }
                all.append(File(what: "\(clip.name) damaged, \(seed)", name: "noise.\(clip.name)", bytes: bytes))
            }
        }
    }

    private func addRecursive(_ clips: [(name: String, bytes: [UInt8])]) {
        var zip = TestArchive.zip([.init(name: "a.png", bytes: [0x89, 0x50, 0x4E, 0x47])])
        var tar = TestArchive.tar([.init(name: "a.png", bytes: [0x89, 0x50, 0x4E, 0x47])])
        for level in 1...6 {
            zip = TestArchive.zip([.init(name: "frames.zip", bytes: zip), .init(name: "1.png", bytes: zip)])
            tar = TestArchive.tar([.init(name: "frames.tar", bytes: tar), .init(name: "1.png", bytes: tar)])
            all.append(File(what: "zip in zip, \(level) deep", name: "frames.zip", bytes: zip))
            all.append(File(what: "tar in tar, \(level) deep", name: "frames.tar", bytes: tar))
        }
        for clip in clips {
            all.append(
                File(
                    what: "\(clip.name) in a zip, as an image", name: "frames.zip",
                    bytes: TestArchive.zip([.init(name: "1.png", bytes: clip.bytes)])))
            all.append(
                File(
                    what: "\(clip.name) behind a zip's signature", name: "c.zip",
                    bytes: [0x50, 0x4B, 3, 4] + clip.bytes))
        }
    }
}
