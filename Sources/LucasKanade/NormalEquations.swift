/// Positions in the normal equations: the six affine parameters' steepest descent images, which are the gradient times
/// the warp's Jacobian (Baker & Matthews 2004, step 5; the affine Jacobian is their equation 8), then the template, then a constant.
///
/// Coordinates are divided by the half extents, û = u / (width/2) and v̂ = v / (height/2), so that a unit of every
/// parameter moves the box's edge by one pixel and the matrix is well conditioned.
enum Column {
    /// ∇x·û, ∇x·v̂, ∇x, ∇y·û, ∇y·v̂, ∇y.
    static let a = 0, b = 1, tx = 2, c = 3, d = 4, ty = 5
    /// The template's samples minus their mean, for the gain.
    static let gain = 6
    /// 1, for the bias.
    static let bias = 7
    static let count = 8
}

/// Where the samples of a grid lie, in memory and in normalised coordinates.
struct GridLayout {
    let rows, stride: Int
    /// û of column 0 and from a column to the next; v̂ of row 0 and from a row to the next.
    let startU, stepU, startV, stepV: Float

    init(_ shape: TemplateShape) {
        rows = shape.rows
        stride = paddedToLanes(shape.columns)
        let (halfWidth, halfHeight) = (shape.width / 2, shape.height / 2)
        startU = Float(-Double(shape.columns - 1) / 2 * shape.spacing / halfWidth)
        stepU = Float(shape.spacing / halfWidth)
        startV = Float(-Double(shape.rows - 1) / 2 * shape.spacing / halfHeight)
        stepV = Float(shape.spacing / halfHeight)
    }

    var size: Int { rows * stride }

    /// û of eight columns from `column` on.
    @inline(__always)
    func u(_ column: Int) -> Lanes {
        startU + stepU * (firstLanes + Float(column))
    }

    /// v̂ of a row.
    @inline(__always)
    func v(_ row: Int) -> Float { startV + stepV * Float(row) }
}

/// Σ w·cᵢ·cⱼ over a grid for the columns of `Column`: the Gauss-Newton Hessian with the rows of gain and bias.
struct NormalMatrix: Sendable {
    private var values = InlineArray<64, Double>(repeating: 0)

    subscript(row: Int, column: Int) -> Double {
        get { values[row * Column.count + column] }
        set {
            values[row * Column.count + column] = newValue
            values[column * Column.count + row] = newValue
        }
    }

    /// Adds the sums over a grid. Eight columns of the grid are one vector, for which û is constant from row to row;
    /// so the inner loop needs moments in v̂ only, and û enters once a vector.
    init(
        gradientX: UnsafePointer<Float>, gradientY: UnsafePointer<Float>, samples: UnsafePointer<Float>,
        weights: UnsafePointer<Float>, layout: GridLayout
    ) {
        for column in Swift.stride(from: 0, to: layout.stride, by: laneCount) {
            var (xx, xy, yy) = (SecondMoments(), SecondMoments(), SecondMoments())
            var (x1, y1, xt, yt) = (FirstMoments(), FirstMoments(), FirstMoments(), FirstMoments())
            var (tt, t1, one) = (Lanes(), Lanes(), Lanes())
            var k = column
            for row in 0..<layout.rows {
                let v = layout.v(row)
                let (gx, gy) = (gradientX.lanes(k), gradientY.lanes(k))
                let (t, w) = (samples.lanes(k), weights.lanes(k))
                let (wx, wy, wt) = (w * gx, w * gy, w * t)
                xx.add(wx * gx, v)
                xy.add(wx * gy, v)
                yy.add(wy * gy, v)
                x1.add(wx, v)
                y1.add(wy, v)
                xt.add(wx * t, v)
                yt.add(wy * t, v)
                tt += wt * t
                t1 += wt
                one += w
                k += layout.stride
            }
            let u = layout.u(column)
            add(xx, u, Column.a, Column.a)
            add(xy, u, Column.a, Column.c)
            add(yy, u, Column.c, Column.c)
            add(x1, u, Column.a, Column.bias)
            add(y1, u, Column.c, Column.bias)
            add(xt, u, Column.a, Column.gain)
            add(yt, u, Column.c, Column.gain)
            self[Column.gain, Column.gain] += Double(tt.sum())
            self[Column.gain, Column.bias] += Double(t1.sum())
            self[Column.bias, Column.bias] += Double(one.sum())
        }
    }

    /// The 3 × 3 block of one pair of gradients.
    private mutating func add(_ m: SecondMoments, _ u: Lanes, _ row: Int, _ column: Int) {
        let uu = Double((m.one * u * u).sum())
        let uv = Double((m.v * u).sum())
        let u1 = Double((m.one * u).sum())
        let (vv, v1, one) = (Double(m.vv.sum()), Double(m.v.sum()), Double(m.one.sum()))
        let block: InlineArray<9, Double> = [uu, uv, u1, uv, vv, v1, u1, v1, one]
        for i in 0..<3 {
            for j in (row == column ? i : 0)..<3 { self[row + i, column + j] += block[3 * i + j] }
        }
    }

    /// The 3 × 1 block of one gradient and another column.
    private mutating func add(_ m: FirstMoments, _ u: Lanes, _ row: Int, _ column: Int) {
        self[row, column] += Double((m.one * u).sum())
        self[row + 1, column] += Double(m.v.sum())
        self[row + 2, column] += Double(m.one.sum())
    }
}

/// Σ w·cᵢ·(image − shift) over a grid, and Σ w·(image − shift)².
struct RightSide {
    var values = InlineArray<8, Double>(repeating: 0)
    var squares = 0.0

    init(
        gradientX: UnsafePointer<Float>, gradientY: UnsafePointer<Float>, samples: UnsafePointer<Float>,
        weights: UnsafePointer<Float>, image: UnsafePointer<Float>, shift: Float, layout: GridLayout
    ) {
        for column in Swift.stride(from: 0, to: layout.stride, by: laneCount) {
            var (x, y) = (FirstMoments(), FirstMoments())
            var (t, one, square) = (Lanes(), Lanes(), Lanes())
            var k = column
            for row in 0..<layout.rows {
                let v = layout.v(row)
                let difference = image.lanes(k) - shift
                let weighted = weights.lanes(k) * difference
                x.add(weighted * gradientX.lanes(k), v)
                y.add(weighted * gradientY.lanes(k), v)
                t += weighted * samples.lanes(k)
                one += weighted
                square += weighted * difference
                k += layout.stride
            }
            let u = layout.u(column)
            values[Column.a] += Double((x.one * u).sum())
            values[Column.b] += Double(x.v.sum())
            values[Column.tx] += Double(x.one.sum())
            values[Column.c] += Double((y.one * u).sum())
            values[Column.d] += Double(y.v.sum())
            values[Column.ty] += Double(y.one.sum())
            values[Column.gain] += Double(t.sum())
            values[Column.bias] += Double(one.sum())
            squares += Double(square.sum())
        }
    }

    /// Turns Σ w·cᵢ·(I − shift) into Σ w·cᵢ·(I − T), for a template that may not change its brightness.
    /// - Parameter level: the template's mean minus the shift.
    mutating func subtractTemplate(_ products: TemplateProducts, level: Double) {
        for column in 0..<6 { values[column] -= products.samples[column] + level * products.constant[column] }
    }
}

/// Σ w·cᵢ·t and Σ w·cᵢ of the motion's columns: the template in the place of the image.
struct TemplateProducts {
    private(set) var samples = InlineArray<6, Double>(repeating: 0)
    private(set) var constant = InlineArray<6, Double>(repeating: 0)

    init(_ matrix: NormalMatrix) {
        for column in 0..<6 {
            samples[column] = matrix[column, Column.gain]
            constant[column] = matrix[column, Column.bias]
        }
    }
}

/// Σ z and Σ z·v̂ down a column of vectors.
private struct FirstMoments {
    var one = Lanes()
    var v = Lanes()

    @inline(__always)
    mutating func add(_ z: Lanes, _ v: Float) {
        one += z
        self.v += z * v
    }
}

/// Σ z, Σ z·v̂ and Σ z·v̂² down a column of vectors.
private struct SecondMoments {
    var one = Lanes()
    var v = Lanes()
    var vv = Lanes()

    @inline(__always)
    mutating func add(_ z: Lanes, _ v: Float) {
        one += z
        self.v += z * v
        vv += z * (v * v)
    }
}
