import LucasKanade
import Tracking

@main
enum FollowFrames {
    static func main() throws {
        // Frames come from anywhere; here a synthetic scene stands in for a camera.
        let scene = try SyntheticScene(.init(width: 320, height: 240, frames: 30, speed: 2))
        let target = TargetRequest(id: "target", box: scene.truth(frame: 0)[0].box)
        var session = try TrackingSession(targets: [target])
        for number in 0..<30 {
            // 8-bit grey, row by row; an `Image` may also wrap memory of yours without a copy.
            let gray = scene.gray(frame: number)
            let color = session.needsColor ? scene.color(frame: number) : nil
            let estimates = try session.process(gray: gray, color: color, frame: number)
            guard let found = estimates[0] else { continue }
            let overlap = found.box.intersectionOverUnion(scene.truth(frame: number)[0].box)
            print(number, found.state, found.confidence, found.box, overlap)
        }
    }
}
