import Testing

@testable import LucasKanade

@Suite("Templates")
struct TemplateTests {
    private static let centre = AffineWarp.translation(60.25, 48.5)

    @Test("a small box is sampled pixel by pixel and never finer", arguments: [(34.0, 21.0), (9, 40), (33.4, 20.7)])
    func smallBox(size: (Double, Double)) {
        let template = Template(from: Scene.pyramid(), at: Self.centre, width: size.0, height: size.1)
        #expect(template.spacing == 1 && template.level == 0)
        #expect(template.columns == Int(size.0) && template.rows == Int(size.1))
        // The box keeps its size to the last digit.
        #expect(template.width == size.0 && template.height == size.1)
    }

    @Test("a large box gets at most gridSide² samples from the level that is fine enough")
    func largeBox() {
        let options = TemplateOptions(gridSide: 20)
        let template = Template(
            from: Scene.pyramid(levels: 3), at: Self.centre, width: 100, height: 64, options: options)
        #expect(template.columns * template.rows <= 400 && template.columns * template.rows > 330)
        #expect(template.spacing == 4 && template.level == 2)
    }

    @Test("samples are those of the image under the warp")
    func samples() {
        let warp = AffineWarp(a: 0.9, b: 0.2, tx: 60.25, c: -0.15, d: 1.05, ty: 48.5)
        let pyramid = Scene.pyramid()
        let template = Template(from: pyramid, at: warp, width: 21, height: 17)
        for (i, j) in [(0, 0), (20, 0), (3, 16), (10, 8), (20, 16)] {
            let position = warp.apply(Double(i) - 10, Double(j) - 8)
            #expect(abs(template.sample(column: i, row: j) - pyramid[0].sample(position.x, position.y)) < 1e-3)
        }
    }

    @Test("gradients are those of the picture, per template-local pixel, borders included")
    func gradients() {
        let template = Template(from: Scene.pyramid(), at: Self.centre, width: 19, height: 13)
        template.withSections { sections in
            for (i, j) in [(0, 0), (18, 12), (9, 6), (0, 12), (18, 3)] {
                let (x, y) = (60.25 + Double(i) - 9, 48.5 + Double(j) - 6)
                let k = j * template.stride + i
                let gx = (Scene.value(x + 0.01, y) - Scene.value(x - 0.01, y)) / 0.02
                let gy = (Scene.value(x, y + 0.01) - Scene.value(x, y - 0.01)) / 0.02
                #expect(abs(Double(sections.gradientX[k]) - gx) < 0.3)
                #expect(abs(Double(sections.gradientY[k]) - gy) < 0.3)
            }
        }
    }

    @Test("mean, deviation and padding obey the weights")
    func statistics() {
        let options = TemplateOptions(weightSigma: 0.6)
        let template = Template(from: Scene.pyramid(), at: Self.centre, width: 21, height: 13, options: options)
        var (sum, weightSum) = (0.0, 0.0)
        template.withSections { sections in
            for j in 0..<template.rows {
                for i in 0..<template.stride {
                    let weight = Double(sections.weights[j * template.stride + i])
                    if i >= template.columns {
                        #expect(weight == 0)
                    } else {
                        sum += weight * Double(template.sample(column: i, row: j))
                        weightSum += weight
                    }
                }
            }
            let middle = 6 * template.stride + 10
            #expect(sections.weights[middle] == 1)
            // Ten of 10.5 half extents to the left: exp(−½ (0.952 / 0.6)²).
            #expect(abs(sections.weights[middle - 10] - 0.2836) < 1e-3)
        }
        #expect(abs(template.mean - sum / weightSum) < 1e-3)
    }

    @Test("a flat box, one that is too small and one that is no box are told apart, not NaN")
    func validity() {
        let flat = Pyramid(Plane(width: 60, height: 60, pixels: [Float](repeating: 80, count: 3600)), levels: 2)
        #expect(Template(from: flat, at: .translation(30, 30), width: 20, height: 20).status == .flat)
        let textured = Scene.pyramid()
        #expect(Template(from: textured, at: Self.centre, width: 2, height: 3).status == .tooSmall)
        #expect(Template(from: textured, at: Self.centre, width: 20, height: 20).status == .usable)
        for (width, height) in [(Double.nan, 20.0), (20, 0), (-3, 20), (.infinity, 20)] {
            #expect(Template(from: textured, at: Self.centre, width: width, height: height).status == .tooSmall)
        }
        // As long and thin as numbers go.
        for (width, height) in [(1e200, 1e-200), (1e-3, 1e300), (1e150, 1e150)] {
            let thread = Template(from: textured, at: Self.centre, width: width, height: height)
            #expect(thread.columns * thread.rows <= 48 * 48 && thread.mean.isFinite)
        }
        let nowhere = Template(from: textured, at: .translation(.nan, 0), width: 20, height: 20)
        #expect(nowhere.status == .tooSmall && nowhere.mean == 0)
    }

    @Test("levels of a template double their spacing and keep enough samples across")
    func pyramidOfTemplates() {
        let options = TemplateOptions(gridSide: 32, minimumSide: 6)
        let pyramid = Scene.pyramid(levels: 3)
        let wide = TemplatePyramid(from: pyramid, at: Self.centre, width: 32, height: 32, levels: 3, options: options)
        #expect(wide.levels.map(\.spacing) == [1, 2, 4])
        #expect(wide.levels.map(\.level) == [0, 1, 2])
        #expect(wide.levels.map(\.columns) == [32, 16, 8])
        let narrow = TemplatePyramid(from: pyramid, at: Self.centre, width: 12, height: 50, levels: 3, options: options)
        #expect(narrow.levels.map(\.columns) == [12, 6, 6])
        #expect(narrow.levels.map(\.level) == [0, 1, 2])
    }

    @Test("an update takes its rate of the new look, at the old brightness and contrast")
    func update() {
        let workspace = AlignmentWorkspace()
        let old = Template(from: Scene.pyramid(), at: Self.centre, width: 24, height: 24)
        // The same look, brighter and with more contrast: nothing to learn.
        let brighter = old.updated(
            from: Scene.pyramid(gain: 1.3, bias: -15), at: Self.centre, rate: 0.5, workspace: workspace)
        for j in 0..<24 {
            for i in 0..<24 { #expect(abs(brighter.sample(column: i, row: j) - old.sample(column: i, row: j)) < 0.01) }
        }
        // Another look: half of it.
        let elsewhere = AffineWarp.translation(52, 40)
        let other = Template(from: Scene.pyramid(), at: elsewhere, width: 24, height: 24)
        let mixed = old.updated(from: Scene.pyramid(), at: elsewhere, rate: 0.5, workspace: workspace)
        let gain = old.deviation / other.deviation
        let normalised = gain * (Double(other.sample(column: 5, row: 9)) - other.mean) + old.mean
        let expected = (Double(old.sample(column: 5, row: 9)) + normalised) / 2
        #expect(abs(Double(mixed.sample(column: 5, row: 9)) - expected) < 0.01)
        // Where nothing can be seen, nothing is learnt.
        let kept = old.updated(from: Scene.pyramid(), at: .translation(.nan, 0), rate: 0.5, workspace: workspace)
        #expect(kept.patch == old.patch)
    }

    @Test("an image in which the target is twice as large is sampled a level higher")
    func samplingLevel() {
        let shape = Template(from: Scene.pyramid(levels: 3), at: Self.centre, width: 20, height: 20).shape
        #expect(shape.samplingLevel(under: .similarity(scale: 1.4)) == 0)
        #expect(shape.samplingLevel(under: .similarity(scale: 1.5)) == 1)
        #expect(shape.samplingLevel(under: .similarity(scale: 4)) == 2)
        #expect(shape.samplingLevel(under: .similarity(scale: 0.6)) == -1)
        #expect(shape.samplingLevel(under: .similarity(scale: .nan)) == 0)
    }
}
