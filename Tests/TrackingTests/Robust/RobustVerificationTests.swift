import Foundation
import LucasKanade
import Testing
import Tracking

private let robust = TrackerOptions(mode: .robust)

@Suite("Robust tracker: verification")
struct RobustVerificationTests {
    @Test(
        "a cut to another scene is noticed however soon it comes, and nothing of it is learned",
        arguments: [1, 2, 3, 5, 12], [3, 11, 21, 31] as [UInt64])
    func cut(after frames: Int, seed: UInt64) throws {
        let footage = try Footage(
            .init(
                width: 260, height: 160, frames: frames + 4, seed: seed, targetWidth: 34, targetHeight: 32, speed: 0.3))
        let other = try Footage(.init(width: 260, height: 160, frames: 12, seed: seed + 100, speed: 0.3))
        let shown = Array(footage.frames[..<frames]) + other.frames + Array(footage.frames[frames...])
        let estimates = try track(shown, box: footage.box(), robust)
        #expect(estimates[..<frames].allSatisfy { $0.state == .tracked })
        #expect(estimates[frames..<frames + 12].allSatisfy { $0.state != .tracked && $0.confidence <= 0.3 })
        let last = try #require(estimates.last)
        #expect(last.state == .tracked)
        #expect(last.box.intersectionOverUnion(footage.box(frame: frames + 3)) > 0.6)
    }

    @Test("a box in a noisy sky is not tracked, and stays where it was drawn", arguments: [1, 2, 3] as [UInt64])
    func noisySky(seed: UInt64) throws {
        let ground = try Footage(.init(width: 200, height: 60, frames: 1, seed: seed)).frames[0]
        var noise = TestNoise(seed: seed)
        let frames = (0..<30).map { _ in
            let sky = (0..<200 * 160).map { _ in UInt8(clamping: Int((150 + 1.5 * noise.normal()).rounded())) }
            let pixels = (0..<200 * 220).map { k in
                k / 200 < 160 ? sky[k] : ground[k % 200, k / 200 - 160]
            }
            return Image(width: 200, height: 220, pixels: pixels)
        }
        let box = Box(x: 85, y: 50, width: 30, height: 30)
        let estimates = try track(frames, box: box, robust)
        #expect(estimates[1...].allSatisfy { $0.state != .tracked && $0.confidence == 0 && $0.box == box })
    }

    @Test(
        "a target that leaves the picture is out of the frame until it comes back, on every side",
        arguments: [(4, 0), (-4, 0), (0, 4), (0, -4)])
    func exits(dx: Int, dy: Int) throws {
        // The target in the middle of a wide ground.
        let inner = try Footage(.init(width: 90, height: 90, frames: 1, seed: 22, targetWidth: 36, targetHeight: 34))
        let ground = try Footage(.init(width: 500, height: 500, frames: 1, seed: 5, targetWidth: 5, targetHeight: 5))
        let wide = inner.frames[0].embedded(inWidth: 500, height: 500, x: 205, y: 205) { ground.frames[0][$0, $1] }
        var target = inner.box()
        (target.x, target.y) = (target.x + 205, target.y + 205)
        let (width, height) = (140, 120)
        // The window starts around the target, goes away from it, waits, and comes back.
        let start = (x: Int(target.center.x) - width / 2, y: Int(target.center.y) - height / 2)
        let away = (dx != 0 ? width : height) / 2 + 40
        let steps = Array(stride(from: 0, to: away, by: 4)) + [Int](repeating: away, count: 6)
        let path = steps + stride(from: away, through: 0, by: -4)
        let frames = path.map {
            wide.cropped(
                x: start.x + dx / 4 * $0, y: start.y + dy / 4 * $0, width: width, height: height)
        }
        var box = target
        (box.x, box.y) = (box.x - Double(start.x), box.y - Double(start.y))
        let estimates = try track(frames, box: box, robust)
        for frame in steps.count - 6..<steps.count { #expect(estimates[frame].state == .outOfFrame, "\(frame)") }
        #expect(!estimates.contains { $0.state == .lost })
        let last = try #require(estimates.last)
        #expect(last.state == .tracked && last.box.intersectionOverUnion(box) > 0.7)
        #expect(estimates.allSatisfy { $0.isSound && $0.isBounded(width: width, height: height) })
    }

    @Test("the way back of a target that was found again starts where it was seen last")
    func forwardBackwardAfterLoss() throws {
        let footage = try Footage(.init(width: 240, height: 160, frames: 1, seed: 3, targetWidth: 34, targetHeight: 32))
        let other = try Footage(.init(width: 240, height: 160, frames: 1, seed: 40))
        let frames =
            [Image](repeating: footage.frames[0], count: 12) + .init(repeating: other.frames[0], count: 3)
            + .init(repeating: footage.frames[0], count: 2)
        let estimates = try track(frames, box: footage.box(), robust)
        let found = try #require(estimates.indices.first { $0 > 12 && estimates[$0].state == .tracked })
        #expect(try #require(estimates[found].forwardBackwardError) < 1)
    }
}

/// Normal deviates, the same ones every time (Marsaglia's polar method over a linear congruence).
struct TestNoise {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    private mutating func uniform() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) / Double(1 << 53)
    }

    mutating func normal() -> Double {
        while true {
            let (u, v) = (2 * uniform() - 1, 2 * uniform() - 1)
            let s = u * u + v * v
            if s > 0, s < 1 { return u * (-2 * log(s) / s).squareRoot() }
        }
    }
}
