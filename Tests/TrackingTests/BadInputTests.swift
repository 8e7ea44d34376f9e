import LucasKanade
import Testing
import Tracking

/// What must hold whatever is shown: in every mode.
@Suite("Bad input")
struct BadInputTests {
    /// A scene, what is made of it, and the box.
    struct Case: CustomTestStringConvertible {
        let testDescription: String
        let width, height: Int
        let box: Box
        let frames: @Sendable () throws -> [Image]

        init(
            _ name: String, _ width: Int = 160, _ height: Int = 120,
            _ box: Box = Box(x: 60, y: 45, width: 40, height: 36),
            _ frames: @escaping @Sendable () throws -> [Image]
        ) {
            (testDescription, self.width, self.height, self.box, self.frames) = (name, width, height, box, frames)
        }
    }

    private static func scene(_ seed: UInt64, frames: Int = 14, width: Int = 160, height: Int = 120) throws -> [Image] {
        try Footage(.init(width: width, height: height, frames: frames, seed: seed)).frames
    }

    /// The middle of a picture, ever larger.
    private static func zoom() throws -> [Image] {
        let large = try scene(9, frames: 1, width: 480, height: 360)[0]
        return (0..<60).map { number in
            let factor = 1 / (1 + 0.1 * Double(number))
            let pixels = (0..<160 * 120).map { k -> UInt8 in
                let (x, y) = (Double(k % 160) - 80, Double(k / 160) - 60)
                return large[Int(240 + 2 * factor * x), Int(180 + 2 * factor * y)]
            }
            return Image(width: 160, height: 120, pixels: pixels)
        }
    }

    static let cases: [Case] = [
        Case("a box of 4×4 px", 160, 120, Box(x: 70, y: 50, width: 4, height: 4)) { try scene(1) },
        Case("a box larger than the frame", 160, 120, Box(x: -20, y: -20, width: 200, height: 160)) { try scene(2) },
        Case("a box half outside", 160, 120, Box(x: -20, y: 40, width: 40, height: 36)) { try scene(3) },
        Case("a textureless box") {
            let picture = try scene(4, frames: 1)[0]
            let flat = Image.flat(120, width: 40, height: 36)
            return .init(
                repeating: flat.embedded(inWidth: 160, height: 120, x: 60, y: 45) { picture[$0, $1] }, count: 14)
        },
        Case("a black video") { .init(repeating: .flat(0, width: 160, height: 120), count: 14) },
        Case("a single frame") { try scene(5, frames: 1) },
        Case("a static video") { .init(repeating: try scene(6, frames: 1)[0], count: 14) },
        Case("a cut to another scene") { try scene(7, frames: 6) + scene(8, frames: 10) },
        Case("a target that leaves and comes back") {
            let wide = try scene(12, frames: 1, width: 460, height: 120)[0]
            let offsets = Array(stride(from: 150, through: 290, by: 7)) + stride(from: 283, through: 150, by: -7)
            return offsets.map { wide.cropped(x: $0, y: 0, width: 160, height: 120) }
        },
        Case("a zoom into the target") { try zoom() },
        Case("a zoom out of it") { try zoom().reversed() },
        Case("noise") {
            try Footage(.init(width: 160, height: 120, frames: 14, seed: 10, noise: 80)).frames
        },
    ]

    @Test("every number is sound and no box runs away", arguments: cases, TrackerOptions.Mode.allCases)
    func sound(_ input: Case, mode: TrackerOptions.Mode) throws {
        for motion in TrackerOptions.Motion.allCases {
            let estimates = try track(try input.frames(), box: input.box, TrackerOptions(mode: mode, motion: motion))
            #expect(estimates.allSatisfy { $0.isSound })
            #expect(estimates.allSatisfy { $0.isBounded(width: input.width, height: input.height) })
            #expect(estimates.first?.isKeyframe == true && estimates.first?.box == input.box)
        }
    }

    @Test("a colour image that does not belong to the grey one is refused, and nothing has changed")
    func wrongColor() throws {
        let footage = try Footage(.init(width: 96, height: 80, frames: 3, seed: 4))
        let colors = (0..<3).map { footage.scene.color(frame: $0) }
        var session = try TrackingSession(targets: [footage.request()], options: TrackerOptions(mode: .robust))
        _ = try session.process(gray: footage.frames[0], color: colors[0], frame: 0)
        for wrong in [footage.frames[1], colors[1].cropped3(width: 40, height: 40)] {
            let error = #expect(throws: TrackingError.self) {
                try session.process(gray: footage.frames[1], color: wrong, frame: 1)
            }
            #expect(error?.code == .invalidFrame && error?.frame == 1)
        }
        #expect(try session.process(gray: footage.frames[1], color: colors[1], frame: 1)[0]?.state == .tracked)
    }

    @Test("a tuning number that would divide by zero or be none is refused by its name")
    func tuning() {
        func refusal(_ change: (inout TrackerOptions) -> Void) -> String? {
            var options = TrackerOptions()
            change(&options)
            do throws(TrackingError) {
                try options.validate()
                return nil
            } catch {
                return error.option
            }
        }
        func template(_ change: (inout TemplateTrackerParameters) -> Void) -> TrackerOptions {
            var parameters = TemplateTrackerParameters()
            change(&parameters)
            return TrackerOptions(template: parameters)
        }
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0.robust.searchGrowth = 0 } == "robust.searchGrowth")
        #expect(refusal { $0.robust.searchSize = .nan } == "robust.searchSize")
        #expect(refusal { $0.robust.filterPenalty = 0 } == "robust.filterPenalty")
        #expect(refusal { $0.robust.huberThreshold = 0 } == "robust.huberThreshold")
        #expect(refusal { $0 = template { $0.huberThreshold = 0 } } == nil)
        #expect(refusal { $0 = template { $0.searchInterval = 0 } } == "template.searchInterval")
        #expect(refusal { $0 = template { $0.gridSide = 0 } } == "template.gridSide")
        #expect(refusal { $0.points.hypotheses = 0 } == "points.hypotheses")
        #expect(refusal { $0.points.maximumScale = .infinity } == "points.maximumScale")
    }
}

extension Image {
    /// The upper left corner of a colour picture.
    fileprivate func cropped3(width: Int, height: Int) -> Image {
        let pixels = (0..<width * height * 3).map { k in self[k / 3 % width, k / 3 / width, k % 3] }
        return Image(width: width, height: height, channels: 3, pixels: pixels)
    }
}
