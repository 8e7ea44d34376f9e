import Jobs
import LucasKanade
import Media
import Tracking
import Workers

/// A small synthetic scene as a source.
struct Scene {
    let scene: SyntheticScene
    let frames: Int

    init(frames: Int = 12, seed: UInt64 = 1) throws {
        self.frames = frames
        scene = try SyntheticScene(.init(width: 96, height: 72, frames: frames, seed: seed, speed: 0.8))
    }

    func truth(_ frame: Int) -> Box { scene.truth(frame: frame)[0].box }

    var target: TargetSpec { TargetSpec(id: "target-1", box: PixelBox(truth(0))) }

    /// Packs the frames as PNGs, as an upload of single frames does.
    ///
    /// - Parameter broken: a frame whose picture is cut off in the middle.
    func writeTar(to writer: any BlobWriter, broken: Int? = nil) throws {
        let tar = TarWriter(writer)
        for frame in 0..<frames {
            var png = try ImageCodec.png(scene.gray(frame: frame))
            if frame == broken { png.removeLast(png.count / 2) }
            try tar.begin(name: "\(frame).png")
            try png.withUnsafeBytes { try tar.write($0) }
            try tar.end()
        }
        try tar.finish()
    }

    func writeVideo(to path: String) throws {
        let encoder = try VideoEncoder(path: path, container: .mp4, width: 96, height: 72, frameRate: 25)
        for frame in 0..<frames { try encoder.append(scene.color(frame: frame)) }
        try encoder.finish()
    }
}
