import Testing

@testable import LucasKanade

@Suite("From coarse to fine")
struct CoarseToFineTests {
    private static let centre = AffineWarp.translation(60.5, 49.5)
    private static let (width, height) = (44.0, 36.0)
    private static let motion = AffineWarp(a: 1.05, b: 0.04, tx: 7.5, c: -0.05, d: 0.97, ty: -6)

    @Test(
        "a large motion needs the pyramid, and is recovered to 0.02 pixels with it", arguments: AlignmentMethod.allCases
    )
    func largeMotion(method: AlignmentMethod) {
        let template = TemplatePyramid(
            from: Scene.pyramid(levels: 3), at: Self.centre, width: Self.width, height: Self.height, levels: 3)
        let image = Scene.pyramid(levels: 3, motion: .around(Self.centre, Self.motion))
        let aligner = CoarseToFineAligner(options: AlignmentOptions(method: method))
        let result = aligner.align(template, to: image, from: Self.centre, workspace: AlignmentWorkspace())
        let truth = Self.centre * Self.motion
        #expect(result.warp.cornerError(to: truth, width: Self.width, height: Self.height) < 0.02)
        #expect(result.status == .converged && result.iterations > 3)
    }

    @Test("a warp found on a coarse level is the same warp in the image", arguments: AlignmentMethod.allCases, [1, 2])
    func levelLaw(method: AlignmentMethod, level: Int) {
        // Aligned on one level alone, the result says where the target is in level-0 pixels, as if found on level 0.
        let template = Template(
            from: Scene.pyramid(levels: 3), at: Self.centre, width: Self.width, height: Self.height, level: level,
            spacing: Double(1 << level))
        #expect(template.level == level)
        let motion = AffineWarp(a: 1.02, b: 0.02, tx: 3, c: -0.01, d: 0.98, ty: -2.5)
        let image = Scene.pyramid(levels: 3, motion: .around(Self.centre, motion))
        let result = Aligner(options: AlignmentOptions(method: method)).align(
            template, to: image, from: Self.centre, workspace: AlignmentWorkspace())
        let error = result.warp.cornerError(to: Self.centre * motion, width: Self.width, height: Self.height)
        #expect(error < 0.06 * Double(1 << level))
        // In the level's own pixels the translation is that of level 0 divided by 2^level, and the linear part equal.
        let low = result.warp.atLevel(level)
        #expect(abs(low.tx * Double(1 << level) - (Self.centre * motion).tx) < 0.1)
        #expect(abs(low.a - motion.a) < 0.01 && abs(low.d - motion.d) < 0.01)
    }

    @Test("each level gets its own motion: finest first, the last for all coarser ones")
    func motions() {
        let template = TemplatePyramid(
            from: Scene.pyramid(levels: 3), at: Self.centre, width: Self.width, height: Self.height, levels: 3)
        let image = Scene.pyramid(levels: 3, motion: .around(Self.centre, Self.motion))
        let workspace = AlignmentWorkspace()
        let shift = CoarseToFineAligner(motions: [.translation])
            .align(template, to: image, from: Self.centre, workspace: workspace)
        #expect([shift.warp.a, shift.warp.b, shift.warp.c, shift.warp.d] == [1, 0, 0, 1])
        let similar = CoarseToFineAligner(motions: [.similarity, .translation])
            .align(template, to: image, from: Self.centre, workspace: workspace)
        #expect(abs(similar.warp.a - similar.warp.d) < 1e-12 && similar.warp.a != 1)
        let affine = CoarseToFineAligner(motions: [.affine, .similarity, .translation])
            .align(template, to: image, from: Self.centre, workspace: workspace)
        #expect(abs(affine.warp.a - affine.warp.d) > 0.05)
    }

    @Test("a region gives the same bits as the whole image, whatever lies around it")
    func regionIsEnough() {
        let moved = Scene.plane(width: 160, height: 144, motion: .around(Self.centre, Self.motion))
        let region = PixelRegion.covering(
            Self.centre, width: Self.width, height: Self.height, margin: 36, alignment: 4, imageWidth: 160,
            imageHeight: 144)
        let options = PyramidOptions(levels: 3)
        let template = TemplatePyramid(
            from: Scene.pyramid(levels: 3), at: Self.centre, width: Self.width, height: Self.height, levels: 3)
        let aligner = CoarseToFineAligner()
        let align = { (pyramid: Pyramid) in
            aligner.align(template, to: pyramid, from: Self.centre, workspace: AlignmentWorkspace())
        }
        let part = align(Pyramid(moved.image, region: region, options: options))
        #expect(part.status == .converged)
        #expect(align(Pyramid(moved.image, options: options)).warp == part.warp)
    }

    @Test("pixels away from the target are never looked at", arguments: AlignmentMethod.allCases)
    func surroundings(method: AlignmentMethod) {
        let motion = AffineWarp(a: 1.03, b: 0.02, tx: 1.5, c: -0.02, d: 0.98, ty: -1)
        let clean = Scene.plane(motion: .around(Self.centre, motion))
        // A NaN anywhere in a sum would show.
        let poisoned = clean.painting { x, y, old in
            abs(Double(x) - Self.centre.tx) > Self.width / 2 + 6
                || abs(Double(y) - Self.centre.ty) > Self.height / 2 + 6
                ? .nan : old
        }
        let template = Template(from: Scene.pyramid(), at: Self.centre, width: Self.width, height: Self.height)
        let aligner = Aligner(options: AlignmentOptions(method: method))
        let results = [clean, poisoned].map {
            aligner.align(template, to: Pyramid($0, levels: 1), from: Self.centre, workspace: AlignmentWorkspace())
        }
        #expect(results[0].status == .converged && results[0] == results[1])
    }

    @Test("where the target is in the image changes nothing but the translation", arguments: AlignmentMethod.allCases)
    func translationEquivariance(method: AlignmentMethod) {
        // The same picture and target, 512 pixels further on: a Jacobian in image coordinates would differ.
        let plane = Scene.plane(motion: .around(Self.centre, Self.motion))
        let aligner = CoarseToFineAligner(options: AlignmentOptions(method: method))
        let template = TemplatePyramid(
            from: Scene.pyramid(levels: 3), at: Self.centre, width: Self.width, height: Self.height, levels: 3)
        let near = aligner.align(
            template, to: Pyramid(plane, levels: 3), from: Self.centre, workspace: AlignmentWorkspace())
        let far = aligner.align(
            template, to: Pyramid(plane, originX: 512, originY: 1024, levels: 3),
            from: .translation(512, 1024) * Self.centre, workspace: AlignmentWorkspace())
        let moved = AffineWarp.translation(512, 1024) * near.warp
        #expect(far.warp.maximumCornerDistance(to: moved, width: Self.width, height: Self.height) < 1e-3)
    }

    @Test("boxes are not cut to whole pixels: a fractional box is found at its fraction")
    func fractionalBox() {
        let box = AffineWarp.translation(60.37, 49.81)
        let (width, height) = (33.7, 28.3)
        let template = TemplatePyramid(
            from: Scene.pyramid(levels: 2), at: box, width: width, height: height, levels: 2)
        let image = Scene.pyramid(levels: 2, motion: .translation(0.43, -0.29))
        let result = CoarseToFineAligner(motions: [.affine, .translation]).align(
            template, to: image, from: box, workspace: AlignmentWorkspace())
        let truth = AffineWarp.translation(60.8, 49.52)
        // Whole pixels would be off by 0.3 to 0.8; what is left is the error of interpolating the template, too.
        #expect(result.warp.cornerError(to: truth, width: width, height: height) < 0.05)
        #expect(template.levels[0].width == width && template.levels[0].height == height)
    }

    @Test("a target that has doubled in size is aligned one pyramid level up")
    func doubledScale() {
        let growth = AffineWarp.similarity(scale: 2)
        let plane = Scene.plane(width: 160, height: 128)
        let centre = AffineWarp.translation(80, 64)
        let template = Template(from: Pyramid(plane, levels: 2), at: centre, width: 32, height: 28)
        let image = Pyramid(
            Scene.plane(width: 160, height: 128, motion: .around(centre, growth * .translation(0.4, -0.3))), levels: 2)
        let result = Aligner().align(template, to: image, from: centre * growth, workspace: AlignmentWorkspace())
        let truth = centre * growth * .translation(0.4, -0.3)
        #expect(result.warp.cornerError(to: truth, width: 32, height: 28) < 0.15)
        #expect(result.status == .converged)
    }

    @Test("an area-reduced pyramid is aligned as exactly as its pixels allow")
    func areaReducedBase() {
        let options = PyramidOptions(levels: 2, baseLevel: 1)
        let motion = AffineWarp(a: 1.03, b: 0.02, tx: 2.2, c: -0.02, d: 0.98, ty: -1.4)
        let first = Pyramid(Scene.plane().image, options: options)
        let second = Pyramid(Scene.plane(motion: .around(Self.centre, motion)).image, options: options)
        let template = TemplatePyramid(
            from: first, at: Self.centre, width: Self.width, height: Self.height, levels: 2)
        #expect(template.levels[0].spacing == 2 && template.levels[0].level == 1)
        let result = CoarseToFineAligner(motions: [.affine, .similarity]).align(
            template, to: second, from: Self.centre, workspace: AlignmentWorkspace())
        #expect(result.warp.cornerError(to: Self.centre * motion, width: Self.width, height: Self.height) < 0.1)
    }
}
