/// A chart of curves over two linear axes.
struct LineChart {
    struct Curve {
        let name: String
        /// As the legend shows it behind the name.
        let value: String
        /// In the units of the axes, from left to right.
        let points: [(x: Double, y: Double)]
        /// Drawn thicker, in black, over the others.
        var isMain = false
    }

    struct Axis {
        let title: String
        let range: ClosedRange<Double>
        /// Distance of the marks, which begin at the lower bound.
        let spacing: Double
        /// Of the marks' numbers.
        let decimals: Int

        var marks: [Double] {
            let count = Int(((range.upperBound - range.lowerBound) / spacing + 1e-9).rounded(.down))
            return (0...count).map { range.lowerBound + Double($0) * spacing }
        }
    }

    let title: String
    let horizontal: Axis
    let vertical: Axis
    /// In the legend's order.
    let curves: [Curve]
}

extension LineChart {
    /// Pixels of the drawing.
    private enum Layout {
        static let plot = (left: 64.0, top: 44.0, width: 400.0, height: 320.0)
        static let legendLeft = plot.left + plot.width + 20
        static let legendRow = 20.0
        static let legendWidth = 236.0
        static let bottom = 56.0
        /// Longer names are cut, so that they do not run out of the picture.
        static let longestName = 22
    }

    static var width: Double { Layout.legendLeft + Layout.legendWidth }

    var height: Double {
        let legend = Layout.legendRow * Double(curves.count)
        return Layout.plot.top + max(Layout.plot.height, legend) + Layout.bottom
    }

    func draw(into canvas: inout SVGCanvas) {
        let plot = Layout.plot
        canvas.text(
            title, x: plot.left + plot.width / 2, y: plot.top - 18, anchor: "middle", size: 16, weight: "bold")
        drawAxes(into: &canvas)
        let colors = Palette.assign(to: curves)
        for (curve, style) in zip(curves, colors).sorted(by: { !$0.0.isMain && $1.0.isMain }) {
            canvas.polyline(curve.points.map { place($0.x, $0.y) }, style: style)
        }
        for (index, (curve, style)) in zip(curves, colors).enumerated() {
            let y = plot.top + Layout.legendRow * (Double(index) + 0.5)
            canvas.polyline([(Layout.legendLeft, y), (Layout.legendLeft + 28, y)], style: style)
            let name =
                curve.name.count > Layout.longestName
                ? curve.name.prefix(Layout.longestName - 1) + "…" : Substring(curve.name)
            canvas.text(
                "[\(curve.value)] \(name)", x: Layout.legendLeft + 36, y: y + 4, anchor: "start", size: 13,
                weight: curve.isMain ? "bold" : "normal")
        }
    }

    private func drawAxes(into canvas: inout SVGCanvas) {
        let plot = Layout.plot
        let (right, bottom) = (plot.left + plot.width, plot.top + plot.height)
        for mark in horizontal.marks {
            let (x, _) = place(mark, vertical.range.lowerBound)
            canvas.line(x, plot.top, x, bottom, color: "#e2e2e2")
            canvas.text(
                SVGCanvas.number(mark, decimals: horizontal.decimals), x: x, y: bottom + 18, anchor: "middle", size: 12)
        }
        for mark in vertical.marks {
            let (_, y) = place(horizontal.range.lowerBound, mark)
            canvas.line(plot.left, y, right, y, color: "#e2e2e2")
            canvas.text(
                SVGCanvas.number(mark, decimals: vertical.decimals), x: plot.left - 8, y: y + 4, anchor: "end", size: 12
            )
        }
        canvas.line(plot.left, bottom, right, bottom, color: "#404040")
        canvas.line(plot.left, plot.top, plot.left, bottom, color: "#404040")
        canvas.text(horizontal.title, x: plot.left + plot.width / 2, y: bottom + 40, anchor: "middle", size: 13)
        canvas.text(
            vertical.title, x: plot.left - 44, y: plot.top + plot.height / 2, anchor: "middle", size: 13,
            isUpright: true)
    }

    /// Where a pair of values lies in the drawing; what is beyond an axis, on its end.
    private func place(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
        func share(_ value: Double, _ range: ClosedRange<Double>) -> Double {
            (min(max(value, range.lowerBound), range.upperBound) - range.lowerBound)
                / (range.upperBound - range.lowerBound)
        }
        return (
            Layout.plot.left + share(x, horizontal.range) * Layout.plot.width,
            Layout.plot.top + (1 - share(y, vertical.range)) * Layout.plot.height
        )
    }
}

/// The looks of curves.
private enum Palette {
    /// Okabe and Ito's colours, which people with any colour vision can tell apart; without yellow, faint on white.
    private static let colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"]
    /// Tell apart curves of the same colour.
    private static let dashes = ["", "7 4", "2 3", "9 3 2 3"]

    static func assign(to curves: [LineChart.Curve]) -> [SVGCanvas.Stroke] {
        var next = 0
        return curves.map { curve in
            if curve.isMain { return SVGCanvas.Stroke(color: "#000000", width: 3, dashes: "") }
            defer { next += 1 }
            return SVGCanvas.Stroke(
                color: colors[next % colors.count], width: 1.6, dashes: dashes[next / colors.count % dashes.count])
        }
    }
}
