import Tracking

/// What happens to the success on the public sequences when each parameter of mode `robust` is halved and doubled.
struct SensitivityBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run(_ report: inout BenchReport) throws {
        guard let data = options.data else { return report.skip("there are no sequences") }
        let targets = try PublicTargets(in: data.appendingPathComponent("sequences"))
        let settings = Parameter.all.flatMap { parameter in
            [0.5, 2].map { factor in
                var options = TrackerOptions()
                options.robust = parameter.scaled(by: factor)
                return options
            }
        }
        let results = try targets.success(of: [TrackerOptions()] + settings)
        let reference = results[0].mean
        report.add("mean success AUC", [reference], unit: "", target: "")
        let rows = Parameter.all.indices.map { index in
            let parameter = Parameter.all[index]
            let (less, more) = (settings[2 * index].robust, settings[2 * index + 1].robust)
            let (low, high) = (results[2 * index + 1].mean, results[2 * index + 2].mean)
            return (
                parameter.name,
                [
                    parameter.value(in: RobustTrackerParameters()), parameter.value(in: less), low, low - reference,
                    parameter.value(in: more), high, high - reference,
                ]
            )
        }
        report.add(
            table: "parameter", columns: ["default", "halved", "AUC", "change", "doubled", "AUC", "change"], rows: rows)
        report.add(
            "largest fall of the mean", [rows.map { max(-$0.1[3], -$0.1[6]) }.max() ?? 0], unit: "AUC",
            target: "<= 0.06")
    }
}

/// What each part of mode `robust` brings on the public sequences: the success without it.
struct AblationBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    private static let settings: [(String, TrackerOptions)] = [
        ("everything", TrackerOptions()),
        ("no alignment", with { $0.robust.alignedCorrelation = 2 }),
        ("translation only", TrackerOptions(motion: .translation)),
        ("similarity at most", TrackerOptions(motion: .similarity)),
        ("affine whatever it pays", with { $0.robust.affineGain = -10 }),
        ("no first template", with { $0.robust.anchorCorrelation = 2 }),
        ("no recent template", with { $0.robust.updateRate = 0 }),
        ("position by the filter", with { $0.robust.alignedPositionShare = 0 }),
        ("position by alignment", with { $0.robust.alignedPositionShare = 1 }),
        ("no colours", with { $0.robust.colorShare = 0 }),
        ("short filter memory", with { $0.robust.filterMemory = 0.36 }),
        ("support everywhere", with { $0.robust.maskSoftness = 1000 }),
        ("no verification", with { ($0.robust.lostShare, $0.robust.learnShare) = (0, 0) }),
        ("no second opinion", with { $0.robust.opinionCorrelation = 2 }),
        ("no coasting leap", with { $0.robust.coastingLeap = 0 }),
        ("no start by velocity", with { $0.robust.predictedSpeed = 1000 }),
        ("on_lost hold", TrackerOptions(onLost: .hold)),
        ("on_lost stop", TrackerOptions(onLost: .stop)),
        ("illumination none", TrackerOptions(illumination: .none)),
        ("illumination clahe", TrackerOptions(illumination: .clahe)),
        ("forward additive", TrackerOptions(aligner: .forwardAdditive)),
        ("ESM", TrackerOptions(aligner: .esm)),
        ("mode template", TrackerOptions(mode: .template)),
        ("mode points", TrackerOptions(mode: .points)),
    ]

    private static func with(_ change: (inout TrackerOptions) -> Void) -> TrackerOptions {
        var options = TrackerOptions()
        change(&options)
        return options
    }

    func run(_ report: inout BenchReport) throws {
        guard let data = options.data else { return report.skip("there are no sequences") }
        let targets = try PublicTargets(in: data.appendingPathComponent("sequences"))
        let results = try targets.success(of: Self.settings.map(\.1))
        report.add(
            table: "success AUC", columns: targets.names + ["mean", "change"],
            rows: zip(Self.settings, results).map { setting, values in
                (setting.0, values + [values.mean, values.mean - results[0].mean])
            })
    }
}
