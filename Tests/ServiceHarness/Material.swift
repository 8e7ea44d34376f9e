import Foundation

/// What is tracked: real sequences where they are, synthetic scenes of the same kind where they are not.
package enum Material {
    /// LKTRACK_TEST_DATA, or `../shared/data` beside the project.
    package static let folder: URL? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path =
            ProcessInfo.processInfo.environment["LKTRACK_TEST_DATA"]
            ?? root.deletingLastPathComponent().appendingPathComponent("shared/data").path
        return FileManager.default.fileExists(atPath: path + "/sequences/Car4") ? URL(fileURLWithPath: path) : nil
    }()

    package static var isReal: Bool { folder != nil }

    package struct Sequence {
        /// Holds `img/` and `groundtruth_rect.txt`.
        package let folder: URL
        package let box: String
        package let frames: Int
        /// Keeps a synthetic one alive.
        package let owner: TemporaryFolder?

        package var images: [String] {
            let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/img")
            return (names ?? []).sorted().map { folder.path + "/img/" + $0 }
        }
    }

    /// An OTB sequence by name, or a synthetic one of `frames` frames.
    package static func sequence(_ name: String, box: String, frames: Int) throws -> Sequence {
        if let folder {
            return Sequence(
                folder: folder.appendingPathComponent("sequences/\(name)"), box: box, frames: frames, owner: nil)
        }
        return try synthetic(frames: min(frames, 120))
    }

    package static func synthetic(frames: Int, targets: Int = 1, seed: Int = 1) throws -> Sequence {
        let owner = try TemporaryFolder()
        let made = try Executable.lktrack(
            "synth", owner.path("scene"), "--frames", "\(frames)", "--size", "320x240", "--seed", "\(seed)",
            "--targets", "\(targets)")
        guard made.status == 0 else { throw Server.Failure.timedOut("a synthetic sequence: \(made.standardError)") }
        let truth = try String(contentsOfFile: owner.path("scene/groundtruth_rect.txt"), encoding: .utf8)
        return Sequence(
            folder: owner.url.appendingPathComponent("scene"), box: String(truth.split(separator: "\n")[0]),
            frames: frames, owner: owner)
    }

    /// A square that moves over a ground of its own brightness: only its colour tells it apart.
    package static func onlyColored(frames: Int) throws -> Sequence {
        let owner = try TemporaryFolder()
        let (width, height, side) = (160, 120, 30)
        let images = owner.url.appendingPathComponent("scene/img")
        try FileManager.default.createDirectory(at: images, withIntermediateDirectories: true)
        var truth = ""
        for frame in 0..<frames {
            let (left, top) = (40 + 2 * frame, 40)
            truth += "\(left),\(top),\(side),\(side)\n"
            // A BMP: two headers, then rows of blue, green, red.
            var bytes = Array("BM".utf8)
            for word in [54 + 3 * width * height, 0, 54, 40, width, -height] { bytes += littleEndian(word) }
            bytes += [1, 0, 24, 0]
            for word in [0, 3 * width * height, 2835, 2835, 0, 0] { bytes += littleEndian(word) }
            for y in 0..<height {
                for x in 0..<width {
                    let isTarget = (left..<left + side).contains(x) && (top..<top + side).contains(y)
                    // 0.114 b + 0.587 g + 0.299 r is 120 in both.
                    bytes += isTarget ? [60, 94, 194] : [150, 131, 87]
                }
            }
            try Data(bytes).write(to: images.appendingPathComponent(String(format: "%04d.bmp", frame + 1)))
        }
        let folder = owner.url.appendingPathComponent("scene")
        try Data(truth.utf8).write(to: folder.appendingPathComponent("groundtruth_rect.txt"))
        return Sequence(folder: folder, box: "40,40,\(side),\(side)", frames: frames, owner: owner)
    }

    private static func littleEndian(_ word: Int) -> [UInt8] {
        withUnsafeBytes(of: Int32(word).littleEndian) { Array($0) }
    }

    package struct Video {
        package let path: String
        package let boxes: [String]
        package let frames: Int
        package let frameRate: Double
        package let owner: TemporaryFolder?
    }

    /// vtest.avi with three pedestrians, or a synthetic video with three targets.
    package static func pedestrians() throws -> Video {
        if let folder {
            return Video(
                path: folder.appendingPathComponent("videos/vtest.avi").path,
                boxes: ["254,218,30,90", "500,156,30,78", "640,240,45,82"], frames: 795, frameRate: 10, owner: nil)
        }
        return try syntheticVideo(frames: 200, targets: 3, frameRate: 10)
    }

    package static func syntheticVideo(
        frames: Int, targets: Int = 1, seed: Int = 1, size: String = "320x240", frameRate: Double = 30,
        name: String = "scene.avi"
    ) throws -> Video {
        let owner = try TemporaryFolder()
        let made = try Executable.lktrack(
            "synth", owner.path(name), "--frames", "\(frames)", "--size", size, "--seed", "\(seed)",
            "--targets", "\(targets)", "--frame-rate", "\(frameRate)")
        guard made.status == 0 else { throw Server.Failure.timedOut("a synthetic video: \(made.standardError)") }
        let stem = name.prefix { $0 != "." }
        let truth = try String(contentsOfFile: owner.path("\(stem).truth.csv"), encoding: .utf8)
        let boxes = truth.split(separator: "\n").dropFirst().prefix(targets).map {
            $0.split(separator: ",")[4..<8].joined(separator: ",")
        }
        return Video(path: owner.path(name), boxes: boxes, frames: frames, frameRate: frameRate, owner: owner)
    }
}
