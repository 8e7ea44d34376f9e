/// Residuals are never taken to be less spread than this, in grey levels: quantisation alone is about as much.
private let leastResidualDeviation: Float = 0.5

/// 1 / Φ⁻¹(¾): makes the median absolute value of normal residuals their standard deviation.
private let medianToDeviation: Float = 1.4826

/// Weighs each sample by how well it fits `image ≈ gain · template + level` and multiplies the template's own weights.
///
/// - Returns: the mean factor, weighted by the template's weights.
func weighResiduals(
    _ kind: RobustWeights, grids: AlignmentWorkspace.Grids, sections: Template.Sections, columns: Int,
    layout: GridLayout, gain: Float, level: Float
) -> Double {
    let residuals = grids.residuals
    for k in Swift.stride(from: 0, to: layout.size, by: laneCount) {
        let residual = grids.image.lanes(k) - gain * sections.samples.lanes(k) - level
        residuals.setLanes(k, residual.replacing(with: -residual, where: residual .< 0))
    }
    let median = medianOfMagnitudes(residuals, columns: columns, rows: layout.rows, stride: layout.stride)
    let deviation = max(medianToDeviation * median, leastResidualDeviation)
    var (sum, all) = (Lanes(), Lanes())
    for k in Swift.stride(from: 0, to: layout.size, by: laneCount) {
        let base = sections.weights.lanes(k)
        let weight = base * kind.factor(residuals.lanes(k), deviation: deviation)
        grids.weights.setLanes(k, weight)
        sum += weight
        all += base
    }
    return Double(sum.sum()) / Double(all.sum())
}

/// Gives each sample the least weight of itself and its four neighbours. Forward additive and ESM differentiate the
/// image: beside an occluder a sample may fit and its gradient be the occluder's edge.
///
/// - Returns: the new weights, in the workspace's place for residuals.
func erodeWeights(_ grids: AlignmentWorkspace.Grids, columns: Int, layout: GridLayout) -> UnsafePointer<Float> {
    let (weights, stride) = (grids.weights, layout.stride)
    for j in 0..<layout.rows {
        for i in Swift.stride(from: 0, to: stride, by: laneCount) {
            let k = j * stride + i
            let column = firstLanes + Float(i)
            let own = weights.lanes(k)
            // The grid's borders have no neighbours beyond.
            let left = weights.lanes(k - 1).replacing(with: own, where: column .== 0)
            let right = weights.lanes(k + 1).replacing(with: own, where: column .>= Float(columns - 1))
            let above = j > 0 ? weights.lanes(k - stride) : own
            let below = j < layout.rows - 1 ? weights.lanes(k + stride) : own
            let least = pointwiseMin(pointwiseMin(left, right), pointwiseMin(above, below))
            grids.residuals.setLanes(k, pointwiseMin(own, least))
        }
    }
    return UnsafePointer(grids.residuals)
}

extension RobustWeights {
    /// ψ(r)/r for eight |residuals|.
    @inline(__always)
    fileprivate func factor(_ magnitude: Lanes, deviation: Float) -> Lanes {
        switch self {
        case .none:
            return Lanes(repeating: 1)
        case .huber(let k):
            let limit = Lanes(repeating: Float(k) * deviation)
            return (limit / magnitude).replacing(with: 1, where: magnitude .<= limit)
        case .tukey(let k):
            let limit = Float(k) * deviation
            let share = magnitude / limit
            let factor = 1 - share * share
            return (factor * factor).replacing(with: 0, where: share .>= 1)
        }
    }
}

/// The median of non-negative values to about 1 %, from a histogram whose bins grow with the values: the leading bits of
/// a `Float` are its logarithm, so a value's bin costs no arithmetic and no scale has to be known.
func medianOfMagnitudes(_ values: UnsafePointer<Float>, columns: Int, rows: Int, stride: Int) -> Float {
    // 32 bins an octave, from 2^-10 (and all below) to 2^14 (and all above).
    let (shift, firstBin, binCount): (UInt32, Int, Int) = (18, (127 - 10) << 5, 24 << 5)
    return withUnsafeTemporaryAllocation(of: Int32.self, capacity: binCount) { bins in
        bins.initialize(repeating: 0)
        for j in 0..<rows {
            for i in 0..<columns {
                let bin = Int(values[j * stride + i].bitPattern >> shift) - firstBin
                bins[min(max(bin, 0), binCount - 1)] += 1
            }
        }
        let half = Int32(clamping: columns * rows / 2)
        var below: Int32 = 0
        var bin = 0
        while bin < binCount - 1, below + bins[bin] <= half {
            below += bins[bin]
            bin += 1
        }
        let low = Float(bitPattern: UInt32(bin + firstBin) << shift)
        let high = Float(bitPattern: UInt32(bin + firstBin + 1) << shift)
        return low + (high - low) * Float(half - below) / Float(max(bins[bin], 1))
    }
}
