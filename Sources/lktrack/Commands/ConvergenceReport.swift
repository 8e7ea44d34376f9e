import Foundation
import LucasKanade
import Tracking

/// The page that `lktrack eval --convergence` prints.
struct ConvergenceReport {
    var study = ConvergenceStudy()
    var conditions = ConvergenceStudy.Condition.all

    /// The same bytes on every run.
    func markdown() -> String {
        let last = study.seed + UInt64(study.textures) - 1
        var text = """
            # Frequency of convergence

            Baker and Matthews' test ("Lucas-Kanade 20 years on", IJCV 2004, section 3.4) of the three aligners. Made by

            ```sh
            lktrack eval --convergence > docs/convergence.md
            ```

            and the same on every run. A patch of \(study.side)×\(study.side) pixels is known; a second picture shows it \
            turned, sheared and moved by
            fractions of a pixel. Three corners of its true place are moved by normal noise of σ pixels along each axis, and \
            the
            affine warp of the three is the start. After \(study.iterations) iterations on one level, with gain and bias, \
            an alignment has
            converged where the four corners are less than \(Self.number(study.radius)) px from the truth (root mean \
            square). Each cell is the share,
            in percent, of \(study.textures * study.trials) trials: \(study.trials) on each of \(study.textures) textures \
            (seeds \(study.seed) to \(last)). All aligners and
            conditions have the same starts. The last column is the mean distance that was left in the trials that
            converged, in pixels.

            """
        for condition in conditions { text += "\n" + section(condition) }
        return text
    }

    private func section(_ condition: ConvergenceStudy.Condition) -> String {
        let sigmas = study.sigmas.map(Self.number)
        var text = "## \(condition.name)\n\n"
        text += "| aligner, σ in px | " + sigmas.joined(separator: " | ") + " | left, px |\n"
        text += "|---|" + String(repeating: "---:|", count: sigmas.count + 1) + "\n"
        for row in study.run(condition) {
            let cells = row.outcomes.map { String(format: "%.1f", 100 * $0.frequency) }
            let left = row.finalError.map { String(format: "%.3f", $0) } ?? "-"
            text += "| \(Self.name(row.method)) | " + cells.joined(separator: " | ") + " | \(left) |\n"
        }
        return text
    }

    private static func number(_ value: Double) -> String { String(format: "%g", value) }

    private static func name(_ method: AlignmentMethod) -> String {
        switch method {
        case .forwardAdditive: "forward additive"
        case .inverseCompositional: "inverse compositional"
        case .esm: "ESM"
        }
    }
}
