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
        let reference = results[0]
        report.add("mean success AUC, all runs", [reference.allRuns.mean], unit: "", target: "")
        report.add("mean success AUC, one pass", [reference.onePass.mean], unit: "", target: ">= 0.68, wanted 0.75")
        let rows = Parameter.all.indices.map { index in
            let parameter = Parameter.all[index]
            let (less, more) = (2 * index, 2 * index + 1)
            func change(_ setting: Int) -> [Double] {
                let result = results[setting + 1]
                return [
                    parameter.value(in: settings[setting].robust), result.allRuns.mean - reference.allRuns.mean,
                    result.onePass.mean - reference.onePass.mean,
                ]
            }
            return (parameter.name, [parameter.value(in: RobustTrackerParameters())] + change(less) + change(more))
        }
        report.add(
            table: "change of the mean AUC",
            columns: ["default", "halved", "all runs", "one pass", "doubled", "all runs", "one pass"], rows: rows)
        report.add(
            "largest fall, all runs", [rows.map { max(-$0.1[2], -$0.1[5]) }.max() ?? 0], unit: "AUC",
            target: "<= 0.06")
        report.add(
            "largest fall, one pass", [rows.map { max(-$0.1[3], -$0.1[6]) }.max() ?? 0], unit: "AUC",
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
            table: "success AUC, one pass", columns: targets.names + ["mean", "change", "all runs", "change"],
            rows: zip(Self.settings, results).map { setting, result in
                let (onePass, allRuns) = (result.onePass.mean, result.allRuns.mean)
                return (
                    setting.0,
                    result.onePass + [
                        onePass, onePass - results[0].onePass.mean, allRuns, allRuns - results[0].allRuns.mean,
                    ]
                )
            })
    }
}
