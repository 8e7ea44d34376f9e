import Foundation
import ServiceHarness

/// Images and archives are made by a script, since Python has zlib; videos by FFmpeg.
struct Bombs {
    struct Bomb {
        let name: String
        /// The codes of failures that it may end with, or the state.
        let ends: Set<String>
    }

    let folder: TemporaryFolder
    let all: [Bomb]

    /// There is more of it than a limit allows.
    private static let limited: Set = ["limit_exceeded"]
    /// It says that it is larger than is allowed, and there is no whole picture of that size, or FFmpeg looks into none
    /// to find its size: it is refused for the one or the other.
    private static let refused: Set = ["limit_exceeded", "undecodable"]
    /// As large as is allowed, so that no limit of the video refuses it: what is tried is the most memory that decoders
    /// can be made to take. It is tracked, or needs more than one may take, which depends on the codec's threads.
    private static let allowed: Set = ["succeeded", "limit_exceeded"]

    private static let archives: [(name: String, ends: Set<String>)] = [
        ("png-of-900-megapixels.zip", limited),
        ("png-that-says-4-gigapixels.zip", refused),
        // Four whole pictures.
        ("png-as-large-as-allowed.zip", allowed),
        ("jpeg-of-65500.zip", refused),
        ("bmp-of-2-gigapixels.zip", refused),
        ("webp-of-268-megapixels.zip", refused),
        ("tiff-of-3.6-gigapixels.zip", refused),
        // Both over the ratio.
        ("zeros-of-a-gigabyte.tar.gz", limited),
        ("zeros.zip", limited),
        ("many-entries.tar.gz", limited),
        ("many-images.zip", limited),
    ]

    private static let videos: [(name: String, ends: Set<String>, size: String, codec: [String])] = [
        ("allowed.mp4", allowed, "4096x4048", ["libx264", "-preset", "ultrafast", "-refs", "16"]),
        ("allowed.mkv", allowed, "4096x4048", ["ffv1"]),
        ("allowed.avi", allowed, "4096x4048", ["mjpeg", "-pix_fmt", "yuvj444p"]),
        ("deep.mov", allowed, "4096x4048", ["prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"]),
        ("png.mov", allowed, "4096x4048", ["png"]),
        ("large.mp4", refused, "8192x8192", ["libx264", "-preset", "ultrafast"]),
        ("large.avi", refused, "16000x16000", ["mjpeg", "-pix_fmt", "yuvj420p"]),
        ("wide.mkv", refused, "16384x1200", ["ffv1"]),
    ]

    static func make() throws -> Bombs {
        let folder = try TemporaryFolder()
        let made = try Executable.run("/usr/bin/python3", ["-c", script, folder.url.path])
        guard made.status == 0 else { throw ProofError("the bombs are not made: \(made.standardError)") }
        for video in videos { try film(video.name, video.size, rate: 10, frames: 6, video.codec, in: folder) }
        try film("long.avi", "32x32", rate: 1000, frames: 20_000, ["mpeg4"], in: folder)
        let all =
            archives.map { Bomb(name: $0.name, ends: $0.ends) } + videos.map { Bomb(name: $0.name, ends: $0.ends) }
            + [Bomb(name: "long.avi", ends: limited)]
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        guard Set(files) == Set(all.map(\.name)) else { throw ProofError("other bombs are made: \(files.sorted())") }
        return Bombs(folder: folder, all: all)
    }

    private static func film(
        _ name: String, _ size: String, rate: Int, frames: Int, _ codec: [String], in folder: TemporaryFolder
    ) throws {
        let input = ["-f", "lavfi", "-i", "color=c=gray:size=\(size):rate=\(rate)"]
        let output = ["-frames:v", "\(frames)", "-c:v"] + codec
        let made = try Executable.run(
            "/usr/bin/env", ["ffmpeg", "-v", "error", "-y"] + input + output + [folder.path(name)])
        guard made.status == 0 else { throw ProofError("\(name) is not made: \(made.standardError)") }
    }

    private static let script = """
        import gzip, io, struct, sys, tarfile, zipfile, zlib
        folder = sys.argv[1] + "/"

        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        def png(width, height, rows):
            squeeze = zlib.compressobj(9)
            row = bytes(1 + width)
            data = b"".join(squeeze.compress(row) for _ in range(rows)) + squeeze.flush()
            return (b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
                    + chunk(b"IDAT", data) + chunk(b"IEND", b""))

        def archive(name, *images):
            with zipfile.ZipFile(folder + name, "w", zipfile.ZIP_DEFLATED) as file:
                for index, image in enumerate(images): file.writestr(f"{index}.{image[0]}", image[1])

        archive("png-of-900-megapixels.zip", ("png", png(30000, 30000, 30000)))
        archive("png-that-says-4-gigapixels.zip", ("png", png(65500, 65500, 10)))
        archive("png-as-large-as-allowed.zip", *[("png", png(4096, 4048, 4048)) for _ in range(4)])
        archive("jpeg-of-65500.zip", ("jpg", b"\\xff\\xd8\\xff\\xc0\\x00\\x11\\x08" + struct.pack(">HH", 65500, 65500)
            + b"\\x03\\x01\\x22\\x00\\x02\\x11\\x01\\x03\\x11\\x01"
            # A scan, or it would be refused before anybody asks for its size.
            + b"\\xff\\xda\\x00\\x0c\\x03\\x01\\x00\\x02\\x11\\x03\\x11\\x00\\x3f\\x00" + bytes(2000) + b"\\xff\\xd9"))
        archive("bmp-of-2-gigapixels.zip", ("bmp", b"BM" + struct.pack("<IHHIIiiHHIIiiII", 10 ** 6, 0, 0, 54, 40,
            46000, 46000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(1000)))
        archive("webp-of-268-megapixels.zip", ("webp", b"RIFF" + struct.pack("<I", 1000) + b"WEBPVP8L"
            + struct.pack("<I", 980) + b"\\x2f\\xff\\xff\\xff\\x0f" + bytes(975)))
        tags = [(256, 4, 60000), (257, 4, 60000), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 200), (277, 3, 1),
                (278, 4, 60000), (279, 4, 3600000000)]
        archive("tiff-of-3.6-gigapixels.zip", ("tiff", b"II*\\x00\\x08\\x00\\x00\\x00" + struct.pack("<H", len(tags))
            + b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags) + bytes(1000)))
        class Zeros(io.RawIOBase):
            def __init__(self, count): self.left = count
            def readable(self): return True
            def read(self, count=-1):
                count = self.left if count < 0 else min(count, self.left)
                self.left -= count
                return bytes(count)
        for name, count in [("zeros-of-a-gigabyte.tar.gz", 1 << 30)]:
            with tarfile.open(folder + name, "w:gz", compresslevel=1) as file:
                entry = tarfile.TarInfo("1.bmp")
                entry.size = count
                file.addfile(entry, Zeros(count))
        with zipfile.ZipFile(folder + "zeros.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for index in range(40): file.writestr(f"{index}.bmp", bytes(8 << 20))
        with tarfile.open(folder + "many-entries.tar.gz", "w:gz", compresslevel=1) as file:
            for index in range(60000): file.addfile(tarfile.TarInfo(f"{index}.txt"))
        with zipfile.ZipFile(folder + "many-images.zip", "w") as file:
            for index in range(9000): file.writestr(f"{index}.png", b"\\x89PNG")
        """
}
