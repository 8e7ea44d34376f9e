import Foundation
import ServiceHarness

/// Small files that unpack to much.
struct BombsProof: Proof {
    let name = "bombs"
    let claim = """
        20 bombs: server and decoders together take no more than 1.5 GB, and each GET meanwhile is answered within 2 s
        """

    private static let count = 20
    /// Bombs that the sniffing and the limits of an upload have to let through, or the decoders would not be tried.
    private static let leastAccepted = 10
    private static let slowestGet = 2.0

    func run(_ options: ProofOptions) throws -> ProofResult {
        let server = try Server("--workers", "2", environment: ["LKTRACK_LIMITS_FRAMES": "5000"])
        let bombs = try Bombs.make()
        var share = MachineShare()
        share.measure()
        let watch = try Watch(server)
        var result = ProofResult(tried: "")
        var outcomes: [String: Int] = [:]
        var ids: [(String, String)] = []
        for name in bombs.names {
            let answer = try server.post(
                "/v1/jobs",
                ["-F", HostileFiles.field(name, bombs.folder.path(name)), "-F", "roi=4,4,8,8", "-F", "stop_frame=20"])
            if answer.status == 202, let id = try answer.json()["id"] as? String {
                ids.append((name, id))
            } else {
                outcomes["refused at once", default: 0] += 1
                result.expect((400..<500).contains(answer.status), "\(name): answered with \(answer.status)")
            }
        }
        for (name, id) in ids {
            let job = try server.finish(id, seconds: 300)
            let code = (job["error"] as? [String: Any])?["code"] as? String
            outcomes[code ?? (job["status"] as? String ?? "?"), default: 0] += 1
            result.expect(code != "internal_error" && code != "worker_lost", "\(name): \(code ?? "")")
        }
        share.measure()
        result.losses += watch.stop()
        result.expect(bombs.names.count == Self.count, "there are \(bombs.names.count) bombs, not \(Self.count)")
        result.expect(ids.count >= Self.leastAccepted, "only \(ids.count) bombs came to a decoder")
        result.expect(
            watch.slowest <= share.allowed(Self.slowestGet), "a GET took \(watch.slowest.text(1)) s\(share.text)")
        let peak = Double(watch.peakMemory) / 1e9
        result.expect(peak <= 1.5, "\(peak.text(2)) GB were taken")
        result.tried = "\(bombs.names.count) bombs, two at a time, while \(watch.requests) GETs were answered"
        result.figure =
            "peak \(peak.text(2)) GB, slowest GET \((watch.slowest * 1000).text()) ms; "
            + outcomes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return result
    }
}

/// Images and archives are made by a script, since Python has zlib; videos by FFmpeg.
struct Bombs {
    let folder: TemporaryFolder
    let names: [String]

    static func make() throws -> Bombs {
        let folder = try TemporaryFolder()
        let made = try Executable.run("/usr/bin/python3", ["-c", script, folder.url.path])
        guard made.status == 0 else { throw ProofError("the bombs are not made: \(made.standardError)") }
        // Of as many pixels as are allowed, and of more.
        let videos: [(name: String, size: String, arguments: [String])] = [
            ("allowed.mp4", "4096x4048", ["-c:v", "libx264", "-preset", "ultrafast", "-refs", "16"]),
            ("allowed.mkv", "4096x4048", ["-c:v", "ffv1"]),
            ("allowed.avi", "4096x4048", ["-c:v", "mjpeg", "-pix_fmt", "yuvj444p"]),
            ("deep.mov", "4096x4048", ["-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"]),
            ("png.mov", "4096x4048", ["-c:v", "png"]),
            ("large.mp4", "8192x8192", ["-c:v", "libx264", "-preset", "ultrafast"]),
            ("large.avi", "16000x16000", ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"]),
            ("wide.mkv", "16384x1200", ["-c:v", "ffv1"]),
        ]
        for video in videos {
            let made = try Executable.run(
                "/usr/bin/env",
                [
                    "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=c=gray:size=\(video.size):rate=10",
                    "-frames:v", "6",
                ] + video.arguments + [folder.path(video.name)])
            guard made.status == 0 else { throw ProofError("\(video.name) is not made: \(made.standardError)") }
        }
        let long = try Executable.run(
            "/usr/bin/env",
            [
                "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=c=gray:size=32x32:rate=1000", "-frames:v",
                "20000", "-c:v", "mpeg4", folder.path("long.avi"),
            ])
        guard long.status == 0 else { throw ProofError("long.avi is not made: \(long.standardError)") }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
        return Bombs(folder: folder, names: names)
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
            + b"\\x03\\x01\\x22\\x00\\x02\\x11\\x01\\x03\\x11\\x01\\xff\\xda" + bytes(2000) + b"\\xff\\xd9"))
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
