import LucasKanade
import Testing
import Tracking

@Suite("The study of convergence")
struct ConvergenceStudyTests {
    private static var small: ConvergenceStudy {
        var study = ConvergenceStudy()
        study.sigmas = [1, 4]
        study.textures = 2
        study.trials = 4
        study.side = 48
        return study
    }

    @Test("the same seeds give the same rows, others give others")
    func seeds() {
        let condition = ConvergenceStudy.Condition.all[2]
        let rows = Self.small.run(condition)
        #expect(rows == Self.small.run(condition))
        var other = Self.small
        other.seed += 100
        #expect(rows != other.run(condition))
    }

    @Test("undisturbed, each aligner comes home from a pixel away, to a fiftieth of a pixel")
    func undisturbed() throws {
        var study = Self.small
        study.sigmas = [1]
        let rows = study.run(ConvergenceStudy.Condition("clean"))
        #expect(rows.map(\.method) == AlignmentMethod.allCases)
        for row in rows {
            #expect(row.outcomes.map(\.trials) == [8])
            #expect(row.outcomes[0].frequency == 1)
            #expect(try #require(row.finalError) < 0.02)
        }
    }

    @Test("without an iteration only starts that are near already count, and far starts stay far: the study can fail")
    func noIteration() {
        var study = Self.small
        study.iterations = 0
        study.sigmas = [0.1, 30]
        for row in study.run(ConvergenceStudy.Condition("clean")) {
            #expect(row.outcomes.map(\.frequency) == [1, 0])
        }
    }

    @Test("gain and bias are taken out, noise leaves an error, robust weights see past an occluder")
    func conditions() throws {
        func left(_ change: (inout ConvergenceStudy.Condition) -> Void) throws -> Double {
            var study = Self.small
            (study.sigmas, study.radius) = ([1], 20)
            var condition = ConvergenceStudy.Condition("changed")
            change(&condition)
            return try #require(study.run(condition)[1].finalError)
        }
        #expect(try left { ($0.gain, $0.bias) = (1.3, -15) } < 0.02)
        #expect(try left { $0.noise = 16 } > 0.05)
        #expect(try left { $0.blur = 2 } > 0.02)
        let occluded = try left { $0.occlusion = 0.3 }
        #expect(occluded > 0.2)
        #expect(try left { ($0.occlusion, $0.robust) = (0.3, .tukey) } < occluded / 4)
    }
}
