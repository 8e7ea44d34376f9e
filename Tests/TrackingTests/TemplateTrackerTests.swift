import LucasKanade
import Testing
import Tracking

@Suite("Template tracker: accuracy")
struct TemplateAccuracyTests {
    private static let footage = Result {
        try Footage(.init(width: 320, height: 240, frames: 120, seed: 3, noise: 4, gain: 0.7...1.3))
    }

    @Test(
        "an affine motion under noise and changing light is followed to a tenth of a pixel",
        arguments: [TrackerOptions.Aligner.inverseCompositional, .esm])
    func accuracy(aligner: TrackerOptions.Aligner) throws {
        let footage = try Self.footage.get()
        let estimates = try track(footage.frames, box: footage.box(), TrackerOptions(mode: .template, aligner: aligner))
        let squares = estimates.enumerated().map { frame, estimate in
            let error = estimate.quad.rmsDistance(to: footage.scene.truth(frame: frame)[0].quad)
            return error * error
        }
        #expect((squares.reduce(0, +) / Double(squares.count)).squareRoot() < 0.1)
        #expect(estimates.allSatisfy { $0.state == .tracked && $0.isSound })
    }

    @Test(
        "every motion, aligner and illumination option follows a moving target",
        arguments: [
            TrackerOptions(mode: .template, motion: .translation), .init(mode: .template, motion: .similarity),
            .init(mode: .template, motion: .affine),
            .init(mode: .template, aligner: .forwardAdditive), .init(mode: .template, levels: 1),
            .init(mode: .template, levels: 6), .init(mode: .template, maxIterations: 50),
            .init(mode: .template, illumination: .none), .init(mode: .template, illumination: .gamma, gamma: 0.8),
            .init(mode: .template, illumination: .clahe),
        ])
    func options(options: TrackerOptions) throws {
        let footage = try Footage(
            .init(width: 144, height: 112, frames: 12, seed: 6, targetWidth: 36, targetHeight: 32, speed: 1.5))
        let estimates = try track(footage.frames, box: footage.box(), options)
        for (frame, estimate) in estimates.enumerated() {
            #expect(estimate.state == .tracked)
            #expect(estimate.box.intersectionOverUnion(footage.box(frame: frame)) > 0.85)
        }
    }

    @Test("affine motion fits the shape better than similarity, and similarity better than translation")
    func motions() throws {
        let footage = try Footage(
            .init(width: 200, height: 160, frames: 30, seed: 9, targetWidth: 64, targetHeight: 56, speed: 1))
        func error(_ motion: TrackerOptions.Motion) throws -> Double {
            let estimate = try #require(
                try track(footage.frames, box: footage.box(), .init(mode: .template, motion: motion)).last)
            return estimate.quad.rmsDistance(to: footage.scene.truth(frame: 29)[0].quad)
        }
        let (translation, similarity, affine) = (
            try error(.translation), try error(.similarity), try error(.affine)
        )
        #expect(affine < 0.1)
        #expect(affine < similarity && similarity < translation)
    }

    @Test("a soft shadow that crosses the target does not move the box")
    func shadow() throws {
        let footage = try Footage(.init(width: 144, height: 112, frames: 16, seed: 2, speed: 1))
        let shaded = footage.frames.enumerated().map { frame, image in
            // The light falls to a half over 24 px, and the edge crosses the target from left to right.
            let edge = footage.box().x - 20 + 6 * Double(frame)
            let pixels = (0..<112).flatMap { y in
                (0..<144).map { x in
                    let shade = min(max((edge - Double(x)) / 24 + 0.5, 0), 1)
                    return UInt8(Double(image[x, y]) * (1 - 0.5 * shade))
                }
            }
            return Image(width: 144, height: 112, pixels: pixels)
        }
        for (frame, estimate) in try track(shaded, box: footage.box()).enumerated() {
            #expect(estimate.state == .tracked)
            #expect(estimate.box.intersectionOverUnion(footage.box(frame: frame)) > 0.9)
        }
    }

    @Test("a very large target is followed as well, in a reduced picture")
    func largeTarget() throws {
        let footage = try Footage(
            .init(width: 900, height: 900, frames: 3, seed: 4, targetWidth: 500, targetHeight: 480, speed: 4))
        for (frame, estimate) in try track(footage.frames, box: footage.box()).enumerated() {
            #expect(estimate.quad.rmsDistance(to: footage.scene.truth(frame: frame)[0].quad) < 1)
        }
    }
}
