import LucasKanade

/// A made-up video with exact ground truth: textured targets over a textured, moving ground.
///
/// Every texture is a smooth function of the plane and every pixel is found by the inverse of an exact affine map, so
/// that the truth has no interpolation error. Any frame can be rendered at any time; the same options give the same
/// bytes.
public struct SyntheticScene: Sendable {
    /// Where one target is in one frame.
    public struct Truth: Hashable, Sendable {
        /// The first frame's pixels to this frame's.
        public var affine: AffineMap
        /// Centre ± size · scale; see ``AffineMap/uprightBox(of:)``.
        public var box: Box
        /// The corners of the first frame's box, mapped.
        public var quad: Quad
        /// Share of the target that is inside the frame and not behind the occluder, 0 … 1, to about 1 %.
        public var visible: Double
    }

    public let options: Options

    /// From back to front: the ground, the targets, the occluder where there is one.
    let layers: [SceneLayer]
    private let gain: SmoothTrack
    private let defocusKernel: [Float]

    /// - Throws: ``TrackingError/Code/invalidOption`` naming the option that is out of its range.
    public init(_ options: Options = Options()) throws(TrackingError) {
        try options.validate()
        self.options = options
        let composition = SceneComposition(options)
        layers = [composition.ground()] + composition.targets() + (composition.occluder().map { [$0] } ?? [])
        gain = composition.gain()
        defocusKernel = Self.gaussian(sigma: options.defocus)
    }

    /// The truth of each target in a frame. The first frame's boxes are `truth(frame: 0)`'s.
    public func truth(frame: Int) -> [Truth] {
        layers[1...options.targets].compactMap { layer in
            guard let box = layer.extent else { return nil }
            let affine = layer.motion.pose(at: Double(frame))
            return Truth(
                affine: affine, box: affine.uprightBox(of: box), quad: affine.apply(box.quad),
                visible: visibleShare(of: box, under: affine, frame: frame))
        }
    }

    /// A frame in grey.
    public func gray(frame: Int) -> Image {
        let levels = grayLevels(frame: frame)
        return Image(width: options.width, height: options.height, pixels: levels.values.map(Self.byte))
    }

    /// A frame in blue, green, red, whose luma is ``gray(frame:)`` but for rounding.
    public func color(frame: Int) -> Image {
        let gray = grayLevels(frame: frame)
        let (blue, red) = chroma(frame: frame)
        var pixels: [UInt8] = []
        pixels.reserveCapacity(3 * gray.values.count)
        for i in gray.values.indices {
            // ITU-R BT.601: Y and the two colour differences to BGR.
            pixels.append(Self.byte(gray.values[i] + 1.772 * blue.values[i]))
            pixels.append(Self.byte(gray.values[i] - 0.344 * blue.values[i] - 0.714 * red.values[i]))
            pixels.append(Self.byte(gray.values[i] + 1.402 * red.values[i]))
        }
        return Image(width: options.width, height: options.height, channels: 3, pixels: pixels)
    }

    /// What the light is multiplied by in a frame.
    func gain(frame: Int) -> Double { gain.value(at: Double(frame)) }

    private static func byte(_ value: Float) -> UInt8 { UInt8(min(max(value + 0.5, 0), 255)) }

    /// A binomial kernel, which has variance `steps / 4` and odd length for an even number of steps.
    static func gaussian(sigma: Double) -> [Float] {
        guard sigma > 0 else { return [] }
        let steps = 2 * max(Int((2 * sigma * sigma).rounded()), 1)
        var kernel: [Float] = [1]
        for _ in 0..<steps {
            kernel = (0...kernel.count).map { i in
                ((i > 0 ? kernel[i - 1] : 0) + (i < kernel.count ? kernel[i] : 0)) / 2
            }
        }
        return kernel
    }
}

extension SyntheticScene {
    /// Moments of one exposure, relative to the frame's time, in frames.
    private var exposure: [Double] {
        guard options.motionBlur > 0 else { return [0] }
        let count = 5
        return (0..<count).map { ((Double($0) + 0.5) / Double(count) - 0.5) * options.motionBlur }
    }

    private func grayLevels(frame: Int) -> ScenePicture {
        var picture = exposed(frame: frame) { layer, time, moment in layer.paint(.gray, at: time, over: &moment) }
        if !defocusKernel.isEmpty { picture.blur(kernel: defocusKernel) }
        let gain = Float(self.gain(frame: frame))
        var generator = SplitMix64(seed: options.seed, stream: UInt64(truncatingIfNeeded: frame) &+ 1 << 32)
        let noise = Float(options.noise)
        picture.modify { noise > 0 ? $0 * gain + noise * generator.normal() : $0 * gain }
        return picture
    }

    /// The blue and red colour differences.
    private func chroma(frame: Int) -> (ScenePicture, ScenePicture) {
        func component(_ strength: (SceneLayer) -> Float) -> ScenePicture {
            exposed(frame: frame) { layer, time, moment in
                layer.paint(.tint(strength(layer)), at: time, over: &moment)
            }
        }
        return (component { $0.chroma.blue }, component { $0.chroma.red })
    }

    /// The mean of the moments of an exposure.
    private func exposed(
        frame: Int, _ paint: (SceneLayer, Double, inout ScenePicture) -> Void
    ) -> ScenePicture {
        var sum = ScenePicture(width: options.width, height: options.height)
        for offset in exposure {
            var moment = ScenePicture(width: options.width, height: options.height)
            for layer in layers { paint(layer, Double(frame) + offset, &moment) }
            sum.add(moment, weight: 1 / Float(exposure.count))
        }
        return sum
    }

    private func visibleShare(of box: Box, under affine: AffineMap, frame: Int) -> Double {
        let frameBox = Box(x: 0, y: 0, width: Double(options.width), height: Double(options.height))
        let occluder = options.occluder ? layers.last : nil
        let cover = occluder?.motion.pose(at: Double(frame)).inverse
        let steps = 12
        var visible = 0
        for j in 0..<steps {
            for i in 0..<steps {
                let point = affine.apply(
                    Point(
                        x: box.x + box.width * (Double(i) + 0.5) / Double(steps),
                        y: box.y + box.height * (Double(j) + 0.5) / Double(steps)))
                let hidden = cover.flatMap { cover in occluder?.extent?.contains(cover.apply(point)) } ?? false
                if frameBox.contains(point) && !hidden { visible += 1 }
            }
        }
        return Double(visible) / Double(steps * steps)
    }
}
