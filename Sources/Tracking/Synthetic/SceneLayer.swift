/// A textured, moving part of a scene: the ground, a target or an occluder.
struct SceneLayer: Sendable {
    /// Grey level at each point of the first frame's plane.
    let texture: SplineTexture
    /// Strength of the tint at each point.
    let tint: SplineTexture
    /// Blue and red chroma of the tint.
    let chroma: (blue: Float, red: Float)
    let motion: any SceneMotion
    /// Where the layer is in the first frame; `nil` covers the whole plane.
    let extent: Box?

    init(mean: Double, contrast: Double, motion: any SceneMotion, extent: Box?, generator: inout SplitMix64) {
        texture = SplineTexture(spacing: 2.5, mean: mean, contrast: contrast, generator: &generator)
        tint = SplineTexture(spacing: 6, mean: 20, contrast: 15, generator: &generator)
        chroma = (Float(generator.uniform(-1...1)), Float(generator.uniform(-1...1)))
        self.motion = motion
        self.extent = extent
    }

    /// What of the layer is painted: its grey levels, or its tint times a strength.
    enum Component {
        case gray
        case tint(Float)
    }

    /// Paints the layer over a picture as it is at one moment. Its border is blended over one pixel.
    func paint(_ component: Component, at time: Double, over picture: inout ScenePicture) {
        let pose = motion.pose(at: time)
        guard let inverse = pose.inverse else { return }
        let (source, strength): (SplineTexture, Float) =
            switch component {
            case .gray: (texture, 1)
            case .tint(let strength): (tint, strength)
            }
        let (rows, columns) = span(of: pose, in: picture)
        guard !columns.isEmpty else { return }
        let scale = Float(abs(pose.determinant).squareRoot())
        let step = SIMD2(Float(inverse.a), Float(inverse.c))
        var line = [Float](repeating: 0, count: columns.count)
        for y in rows {
            let first = inverse.apply(Point(x: Double(columns.lowerBound) + 0.5, y: Double(y) + 0.5))
            let start = SIMD2(Float(first.x), Float(first.y))
            line.withUnsafeMutableBufferPointer { source.evaluate(from: start, step: step, into: $0) }
            picture.blend(line, times: strength, row: y, column: columns.lowerBound) { i in
                coverage(of: start + Float(i) * step, scale: scale)
            }
        }
    }

    /// How much of a pixel the layer covers, 0 … 1, from the distance of its centre to the border.
    private func coverage(of point: SIMD2<Float>, scale: Float) -> Float {
        guard let extent else { return 1 }
        let left = point.x - Float(extent.x)
        let right = Float(extent.x + extent.width) - point.x
        let top = point.y - Float(extent.y)
        let bottom = Float(extent.y + extent.height) - point.y
        return min(max(min(left, right, top, bottom) * scale + 0.5, 0), 1)
    }

    /// The rows and columns of the picture that the layer may touch.
    private func span(of pose: AffineMap, in picture: ScenePicture) -> (Range<Int>, Range<Int>) {
        guard let extent else { return (0..<picture.height, 0..<picture.width) }
        let corners = pose.apply(extent.quad).corners
        func range(_ values: [Double], _ count: Int) -> Range<Int> {
            let low = min(max((values.min() ?? 0) - 1, 0), Double(count))
            let high = min(max((values.max() ?? 0) + 2, 0), Double(count))
            return Int(low)..<max(Int(high), Int(low))
        }
        return (range(corners.map(\.y), picture.height), range(corners.map(\.x), picture.width))
    }
}

/// A plane of real numbers that layers are painted on.
struct ScenePicture {
    let width, height: Int
    private(set) var values: [Float]

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        values = [Float](repeating: 0, count: width * height)
    }

    mutating func blend(_ line: [Float], times factor: Float, row: Int, column: Int, coverage: (Int) -> Float) {
        let base = row * width + column
        for i in line.indices {
            values[base + i] += (line[i] * factor - values[base + i]) * coverage(i)
        }
    }

    mutating func modify(_ body: (Float) -> Float) {
        for i in values.indices { values[i] = body(values[i]) }
    }

    mutating func add(_ other: ScenePicture, weight: Float) {
        for i in values.indices { values[i] += weight * other.values[i] }
    }

    /// Convolves rows and columns with a kernel of odd length, borders repeated.
    mutating func blur(kernel: [Float]) {
        let radius = kernel.count / 2
        var line = [Float](repeating: 0, count: max(width, height))
        func convolve(count: Int, offset: Int, stride: Int) {
            for i in 0..<count {
                var sum: Float = 0
                for k in kernel.indices {
                    let j = min(max(i + k - radius, 0), count - 1)
                    sum += kernel[k] * values[offset + j * stride]
                }
                line[i] = sum
            }
            for i in 0..<count { values[offset + i * stride] = line[i] }
        }
        for y in 0..<height { convolve(count: width, offset: y * width, stride: 1) }
        for x in 0..<width { convolve(count: height, offset: x, stride: width) }
    }
}
