import LucasKanade

/// The pictures of a ``ConvergenceStudy``: one texture under one condition.
struct ConvergenceScene {
    /// What an aligner is given.
    struct Pictures {
        let template: Template
        let image: Pyramid
    }

    /// Template-local pixels to the image.
    let truth: AffineWarp

    private let side: Int
    private let seed: UInt64
    private let condition: ConvergenceStudy.Condition
    /// Pixels around the patch, so that starts at the largest σ lie in the picture.
    private static let margin = 50

    /// The centre of the patch in its own picture: samples fall on pixels.
    private let centre: Double
    private let patch: ScenePicture
    private let view: ScenePicture
    private let occluder: ScenePicture

    /// Streams of random numbers; trials have those from `firstTrial` on, two each.
    private enum Stream {
        static let texture: UInt64 = 1
        static let occluder: UInt64 = 2
        static let firstTrial: UInt64 = 16
    }

    init(side: Int, seed: UInt64, condition: ConvergenceStudy.Condition) {
        (self.side, self.seed, self.condition) = (side, seed, condition)
        let size = side + 2 * Self.margin
        centre = Double(size - 1) / 2
        // A turn of 4°, a little scale and shear, and fractions of a pixel: nothing that pixels would agree on.
        truth = AffineWarp(a: 1.017, b: -0.062, tx: centre + 0.37, c: 0.071, d: 0.988, ty: centre - 0.41)
        func texture(_ stream: UInt64) -> SplineTexture {
            var generator = SplitMix64(seed: seed, stream: stream)
            return SplineTexture(spacing: 4, mean: 120, contrast: 28, generator: &generator)
        }
        let surface = texture(Stream.texture)
        patch = Self.render(surface, size: size, under: .translation(centre, centre))
        var view = Self.render(surface, size: size, under: truth)
        if condition.blur > 0 { view.blur(kernel: SyntheticScene.gaussian(sigma: condition.blur)) }
        self.view = view
        occluder = Self.render(texture(Stream.occluder), size: size, under: truth)
    }

    /// The texture as it is seen under a warp.
    private static func render(_ texture: SplineTexture, size: Int, under warp: AffineWarp) -> ScenePicture {
        var picture = ScenePicture(width: size, height: size)
        // The warps of this file are not singular.
        guard let back = warp.inverse else { return picture }
        let step = SIMD2(Float(back.a), Float(back.c))
        var line = [Float](repeating: 0, count: size)
        for y in 0..<size {
            let first = back.apply(0, Double(y))
            line.withUnsafeMutableBufferPointer {
                texture.evaluate(from: SIMD2(Float(first.x), Float(first.y)), step: step, into: $0)
            }
            picture.blend(line, times: 1, row: y, column: 0) { _ in 1 }
        }
        return picture
    }

    /// The two pictures of one trial.
    func pictures(stream: UInt64) -> Pictures {
        var generator = SplitMix64(seed: seed, stream: Stream.firstTrial + 2 * stream)
        let known = plane(patch, generator: &generator)
        var image = view
        if condition.occlusion > 0 { cover(&image, generator: &generator) }
        let (gain, bias) = (Float(condition.gain), Float(condition.bias))
        image.modify { gain * $0 + bias }
        let template = Template(
            from: Pyramid(known, levels: 1), at: .translation(centre, centre), width: Double(side),
            height: Double(side), options: TemplateOptions(gridSide: side))
        return Pictures(template: template, image: Pyramid(plane(image, generator: &generator), levels: 1))
    }

    /// Hides a share of the patch behind a square somewhere in it.
    private func cover(_ image: inout ScenePicture, generator: inout SplitMix64) {
        guard let back = truth.inverse else { return }
        let half = Double(side) / 2
        let length = Double(side) * condition.occlusion.squareRoot()
        let box = Box(
            x: generator.uniform(-half...half - length), y: generator.uniform(-half...half - length), width: length,
            height: length)
        let size = image.width
        for y in 0..<size {
            let row = Array(occluder.values[y * size..<(y + 1) * size])
            image.blend(row, times: 1, row: y, column: 0) { x in
                let local = back.apply(Double(x), Double(y))
                return box.contains(Point(x: local.x, y: local.y)) ? 1 : 0
            }
        }
    }

    /// What a camera makes of a picture: noise, and 8 bits.
    private func plane(_ picture: ScenePicture, generator: inout SplitMix64) -> Plane {
        let noise = Float(condition.noise)
        let pixels = picture.values.map { value in
            min(max((noise > 0 ? value + noise * generator.normal() : value).rounded(), 0), 255)
        }
        return Plane(width: picture.width, height: picture.height, pixels: pixels)
    }

    /// Where a trial starts: three corners of the truth moved by normal noise of `sigma` pixels along each axis.
    func start(sigma: Double, stream: UInt64) -> AffineWarp {
        var generator = SplitMix64(seed: seed, stream: Stream.firstTrial + 2 * stream + 1)
        let half = Double(side) / 2
        let corners = ((-half, -half), (half, -half), (-half, half))
        func moved(_ corner: (Double, Double)) -> AffineWarp.Point {
            let place = truth.apply(corner.0, corner.1)
            return (place.x + sigma * Self.normal(&generator), place.y + sigma * Self.normal(&generator))
        }
        let places = (moved(corners.0), moved(corners.1), moved(corners.2))
        return AffineWarp.mapping(corners, to: places) ?? truth
    }

    /// Normal to about four deviations: the sum of twelve uniform numbers.
    private static func normal(_ generator: inout SplitMix64) -> Double {
        Double(generator.normal() + generator.normal() + generator.normal()) / 3.0.squareRoot()
    }
}
