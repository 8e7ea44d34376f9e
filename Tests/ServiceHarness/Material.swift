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
