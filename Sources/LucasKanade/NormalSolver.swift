/// The directions in which a motion may change the six affine parameters: column k holds what a unit of parameter k
/// adds to each of them. The first two are the translation.
struct MotionBasis {
    let count: Int
    private var columns = InlineArray<36, Double>(repeating: 0)

    subscript(parameter: Int, k: Int) -> Double {
        get { columns[k * 6 + parameter] }
        set { columns[k * 6 + parameter] = newValue }
    }

    /// - Parameter linear: for additive steps the linear part of the current warp, which a similarity turns and
    ///   stretches as it is; the identity for compositional steps.
    init(_ motion: Motion, shape: TemplateShape, linear: AffineWarp = .identity) {
        count = motion.parameters
        self[Column.tx, 0] = 1
        self[Column.ty, 1] = 1
        let (halfWidth, halfHeight) = (shape.width / 2, shape.height / 2)
        switch motion {
        case .translation:
            break
        case .similarity:
            // A unit moves the box's edge by about a pixel.
            let unit = 1 / ((halfWidth * halfHeight).squareRoot() * max(linear.scale, .leastNormalMagnitude))
            let (u, v) = (unit * halfWidth, unit * halfHeight)
            // Scale adds the linear part L itself, rotation adds L turned by a right angle.
            (self[Column.a, 2], self[Column.b, 2]) = (linear.a * u, linear.b * v)
            (self[Column.c, 2], self[Column.d, 2]) = (linear.c * u, linear.d * v)
            (self[Column.a, 3], self[Column.b, 3]) = (-linear.c * u, -linear.d * v)
            (self[Column.c, 3], self[Column.d, 3]) = (linear.a * u, linear.b * v)
        case .affine:
            for (k, column) in [Column.a, Column.b, Column.c, Column.d].enumerated() { self[column, 2 + k] = 1 }
        }
    }
}

/// What one Gauss-Newton step found: the parameters' steps in the units of `Column`, gain and bias.
struct NormalSolution {
    var parameters = InlineArray<6, Double>(repeating: 0)
    var gain = 1.0
    var bias = 0.0
}

/// A pivot that is left with less than this share of its diagonal element belongs to a column that the others explain.
private let pivotTolerance = 1e-4

/// The normal equations for the motion, and for gain and bias where there is a photometric model, factored: solved for
/// as many right sides as there are. Inverse compositional alignment has one matrix for all its iterations. (A class
/// because it is a kilobyte that nobody changes: an iteration takes a few microseconds, copies would show.)
final class NormalSystem {
    private let basis: MotionBasis
    private let hasPhotometry: Bool
    private let system: SymmetricSystem
    /// The template's share of the photometric sums.
    let photometry: PhotometricSums
    let templateProducts: TemplateProducts

    /// - Parameter shapeDamping: as in `AlignmentOptions`.
    /// - Returns: nil where the equations do not determine the motion.
    init?(_ matrix: NormalMatrix, basis: MotionBasis, photometry: Photometry, shapeDamping: Double) {
        self.basis = basis
        self.photometry = PhotometricSums(matrix)
        templateProducts = TemplateProducts(matrix)
        hasPhotometry = photometry == .gainAndBias
        // What each unknown is made of: gain, bias, then the motion's directions.
        let firstMotion = hasPhotometry ? 2 : 0
        var system = SymmetricSystem(size: firstMotion + basis.count)
        for i in 0..<firstMotion {
            for j in 0...i { system[i, j] = matrix[Column.gain + i, Column.gain + j] }
        }
        var trace = 0.0
        for k in 0..<basis.count {
            let i = firstMotion + k
            for p in 0..<6 where basis[p, k] != 0 {
                let weight = basis[p, k]
                for j in 0..<firstMotion { system[i, j] += weight * matrix[p, Column.gain + j] }
                for l in 0...k {
                    for q in 0..<6 { system[i, firstMotion + l] += weight * matrix[p, q] * basis[q, l] }
                }
            }
            trace += system[i, i]
        }
        for k in 2..<max(basis.count, 2) {
            system[firstMotion + k, firstMotion + k] += shapeDamping * trace / Double(basis.count)
        }
        guard system.factor(pivotTolerance: pivotTolerance) else { return nil }
        self.system = system
    }

    func solution(for right: RightSide) -> NormalSolution {
        let firstMotion = hasPhotometry ? 2 : 0
        var unknowns = InlineArray<8, Double>(repeating: 0)
        if hasPhotometry { (unknowns[0], unknowns[1]) = (right.values[Column.gain], right.values[Column.bias]) }
        for k in 0..<basis.count {
            for p in 0..<6 where basis[p, k] != 0 { unknowns[firstMotion + k] += basis[p, k] * right.values[p] }
        }
        system.substitute(&unknowns)
        var solution = NormalSolution()
        if hasPhotometry { (solution.gain, solution.bias) = (unknowns[0], unknowns[1]) }
        for k in 0..<basis.count {
            for p in 0..<6 where basis[p, k] != 0 { solution.parameters[p] += basis[p, k] * unknowns[firstMotion + k] }
        }
        return solution
    }
}

/// A positive definite matrix of at most eight rows, factored in place by Cholesky's method.
struct SymmetricSystem {
    let size: Int
    private var lower = InlineArray<64, Double>(repeating: 0)

    init(size: Int) { self.size = size }

    /// The lower triangle.
    subscript(row: Int, column: Int) -> Double {
        get { lower[row * 8 + column] }
        set { lower[row * 8 + column] = newValue }
    }

    /// False where a pivot falls under `pivotTolerance` of its diagonal element: the matrix is singular for Float sums.
    mutating func factor(pivotTolerance: Double) -> Bool {
        for i in 0..<size {
            let diagonal = self[i, i]
            for j in 0...i {
                var sum = self[i, j]
                for k in 0..<j { sum -= self[i, k] * self[j, k] }
                if i == j {
                    guard sum > pivotTolerance * diagonal, sum.isFinite, sum > .leastNormalMagnitude else {
                        return false
                    }
                    self[i, i] = sum.squareRoot()
                } else {
                    self[i, j] = sum / self[j, j]
                }
            }
        }
        return true
    }

    /// Replaces the right side by the solution, after `factor`.
    func substitute(_ right: inout InlineArray<8, Double>) {
        for i in 0..<size {
            for k in 0..<i { right[i] -= self[i, k] * right[k] }
            right[i] /= self[i, i]
        }
        for i in (0..<size).reversed() {
            for k in i + 1..<max(size, i + 1) { right[i] -= self[k, i] * right[k] }
            right[i] /= self[i, i]
        }
    }
}
