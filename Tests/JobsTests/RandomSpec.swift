import Jobs

/// Valid specs of all kinds.
enum RandomSpec {
    static func make(_ random: inout SeededGenerator) -> JobSpec {
        let start = Int.random(in: 0...1000, using: &random)
        let step = Int.random(in: 1...9, using: &random)
        let stop = Bool.random(using: &random) ? start + step * 40 : nil
        let targets = (1...Int.random(in: 1...4, using: &random)).map { number in
            let first = start + step * Int.random(in: 0...5, using: &random)
            let keyframes = (1...3).map { TargetSpec.Keyframe(frame: first + step * 3 * $0, box: box(&random)) }
            return TargetSpec(
                id: "t-\(number)", box: box(&random), startFrame: first,
                keyframes: Bool.random(using: &random) ? keyframes : [])
        }
        return JobSpec(
            targets: targets, tracker: tracker(&random), startFrame: start, stopFrame: stop, frameStep: step,
            output: OutputSpec(
                video: OutputSpec.Video.allCases.randomElement(using: &random) ?? .none,
                crops: Bool.random(using: &random)),
            deadlineSeconds: Bool.random(using: &random) ? Double.random(in: 0.1...604_800, using: &random) : nil,
            priority: Int.random(in: -100...100, using: &random),
            labels: Bool.random(using: &random) ? ["b": "\"2\"\\", "a": "é\u{301}😀"] : [:],
            webhook: webhook(&random))
    }

    /// Without a secret, which is not shown.
    private static func webhook(_ random: inout SeededGenerator) -> WebhookSpec? {
        let url = try? WebhookURL("https://example.com:8443/hook?token=%20a")
        let events = WebhookSpec.Event.allCases.filter { _ in Bool.random(using: &random) }
        return url.flatMap { events.isEmpty ? nil : WebhookSpec(url: $0, events: events) }
    }

    private static func box(_ random: inout SeededGenerator) -> PixelBox {
        PixelBox(
            x: Double.random(in: -3...4000, using: &random), y: Double.random(in: -3...4000, using: &random),
            width: Double.random(in: 4...4000, using: &random), height: Double.random(in: 4...4000, using: &random))
    }

    private static func tracker(_ random: inout SeededGenerator) -> TrackerSpec {
        TrackerSpec(
            motion: TrackerSpec.Motion.allCases.randomElement(using: &random) ?? .affine,
            aligner: TrackerSpec.Aligner.allCases.randomElement(using: &random) ?? .esm,
            levels: Int.random(in: 1...6, using: &random), maxIterations: Int.random(in: 1...200, using: &random),
            epsilon: Double.random(in: 0.0001...1, using: &random),
            illumination: TrackerSpec.Illumination.allCases.randomElement(using: &random) ?? .none,
            gamma: Double.random(in: 0.1...10, using: &random),
            onLost: TrackerSpec.OnLost.allCases.randomElement(using: &random) ?? .stop)
    }
}
