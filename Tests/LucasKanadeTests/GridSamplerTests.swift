import Testing

@testable import LucasKanade

@Suite("Sampling a warped grid")
struct GridSamplerTests {
    private func grid(_ columns: Int, _ rows: Int, _ warp: AffineWarp, _ pyramid: Pyramid, level: Int = 0) -> WarpedGrid
    {
        WarpedGrid(columns: columns, rows: rows, spacing: 1, warp: warp, pyramid: pyramid, level: level)
    }

    private func sampled(_ grid: WarpedGrid, _ plane: Plane) -> [Float] {
        [Float](unsafeUninitializedCapacity: grid.stride * grid.rows) { buffer, count in
            sample(plane, on: grid, to: buffer.baseAddress!)
            count = grid.stride * grid.rows
        }
    }

    @Test("vectors equal the scalar reference inside, across borders and outside, for every length of tail")
    func vectorsEqualScalar() {
        let pyramid = Scene.pyramid()
        let plane = pyramid[0]
        var generator = SeededGenerator(seed: 21)
        for columns in 1...19 {
            for _ in 0..<6 {
                let warp = AffineWarp(
                    a: generator.uniform(-1.5...1.5), b: generator.uniform(-1...1), tx: generator.uniform(-20...140),
                    c: generator.uniform(-1...1), d: generator.uniform(-1.5...1.5), ty: generator.uniform(-20...120))
                let grid = grid(columns, 3, warp, pyramid)
                let found = sampled(grid, plane)
                for j in 0..<3 {
                    for i in 0..<columns {
                        let position = warp.apply(Double(i) - Double(columns - 1) / 2, Double(j) - 1)
                        let expected = plane.sample(position.x, position.y)
                        #expect(abs(found[j * grid.stride + i] - expected) < 2e-3)
                    }
                }
            }
        }
    }

    @Test("warps near the identity, whose rows are read by whole vectors, equal the scalar reference")
    func nearIdentity() {
        let pyramid = Scene.pyramid()
        let plane = pyramid[0]
        var generator = SeededGenerator(seed: 22)
        for round in 0..<300 {
            // From translations to warps that stray by two pixels and more from one vector to the next.
            let size = [0, 1e-7, 1e-3, 0.02, 0.1, 0.3][round % 6]
            let near = -size...size
            let warp = AffineWarp(
                a: 1 + generator.uniform(near), b: generator.uniform(near), tx: generator.uniform(20...90),
                c: generator.uniform(near), d: 1 + generator.uniform(near), ty: generator.uniform(10...80))
            let columns = 8 + round % 41
            let grid = grid(columns, 13, warp, pyramid)
            let found = sampled(grid, plane)
            for j in 0..<13 {
                for i in 0..<columns {
                    let position = warp.apply(Double(i) - Double(columns - 1) / 2, Double(j) - 6)
                    #expect(abs(found[j * grid.stride + i] - plane.sample(position.x, position.y)) < 2e-3)
                }
            }
        }
    }

    @Test("windows that are only shifted equal the scalar reference, inside and beyond the borders")
    func shiftedWindows() {
        let pyramid = Scene.pyramid()
        let plane = pyramid[0]
        let workspace = AlignmentWorkspace()
        var generator = SeededGenerator(seed: 23)
        for side in [3, 7, 8, 9, 21, 24, 31] {
            for _ in 0..<20 {
                let (x, y) = (generator.uniform(-10...130), generator.uniform(-10...110))
                let window = ShiftedWindow(side: side, x: x, y: y, pyramid: pyramid, level: 0)
                var found = [Float](repeating: 0, count: window.stride * side)
                found.withUnsafeMutableBufferPointer { out in
                    window.withPixels(of: plane, workspace) { $0.interpolate(to: out.baseAddress!) }
                }
                for j in 0..<side {
                    for i in 0..<side {
                        let half = Double(side - 1) / 2
                        let expected = plane.sample(x - half + Double(i), y - half + Double(j))
                        #expect(abs(found[j * window.stride + i] - expected) < 2e-3)
                    }
                }
            }
        }
    }

    @Test("whole positions give the pixels themselves, also on the border")
    func wholePositions() {
        let pyramid = Scene.pyramid()
        for (x, y) in [(5.0, 5.0), (60, 50), (114, 94), (6, 95)] {
            let grid = grid(11, 9, .translation(x, y), pyramid)
            let found = sampled(grid, pyramid[0])
            for j in 0..<9 {
                for i in 0..<11 { #expect(found[j * grid.stride + i] == pyramid[0][Int(x) + i - 5, Int(y) + j - 4]) }
            }
        }
    }

    @Test("a region gives the same samples as the whole image, bit for bit")
    func regionEqualsWhole() {
        let image = Scene.plane().image
        let whole = Pyramid(image, options: PyramidOptions(levels: 1))
        let part = Pyramid(
            image, region: PixelRegion(x: 32, y: 16, width: 60, height: 64), options: PyramidOptions(levels: 1))
        let warp = AffineWarp(a: 1.04, b: 0.125, tx: 60.375, c: -0.1, d: 0.95, ty: 47.625)
        #expect(sampled(grid(21, 21, warp, whole), whole[0]) == sampled(grid(21, 21, warp, part), part[0]))
    }

    @Test("warps that are no numbers, or leave all bounds, are told apart before sampling")
    func sampleable() {
        let pyramid = Scene.pyramid()
        #expect(grid(8, 8, .translation(-500, 9000), pyramid).isSampleable)
        #expect(!grid(8, 8, .translation(.nan, 0), pyramid).isSampleable)
        #expect(!grid(8, 8, .translation(0, .infinity), pyramid).isSampleable)
        #expect(!grid(8, 8, .similarity(scale: 1e12), pyramid).isSampleable)
        #expect(!grid(8, 8, .similarity(scale: .nan), pyramid).isSampleable)
    }
}
