import Foundation

/// Charts side by side as Scalable Vector Graphics 1.1, text as text, on white.
struct SVGDocument {
    let charts: [LineChart]

    var text: String {
        let width = SVGCanvas.number(LineChart.width * Double(charts.count), decimals: 0)
        let height = SVGCanvas.number(charts.map(\.height).max() ?? 0, decimals: 0)
        var text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
            viewBox="0 0 \(width) \(height)" font-family="Helvetica, Arial, sans-serif">
            <rect width="100%" height="100%" fill="#ffffff"/>

            """
        for (index, chart) in charts.enumerated() {
            var canvas = SVGCanvas()
            chart.draw(into: &canvas)
            let offset = SVGCanvas.number(LineChart.width * Double(index), decimals: 0)
            text += "<g transform=\"translate(\(offset) 0)\">\n\(canvas.elements)</g>\n"
        }
        return text + "</svg>\n"
    }
}

/// Collects the elements of a drawing.
struct SVGCanvas {
    struct Stroke {
        let color: String
        let width: Double
        /// Lengths of dashes and gaps; empty for none.
        let dashes: String
    }

    private(set) var elements = ""

    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, color: String) {
        let ends = zip(["x1", "y1", "x2", "y2"], [x1, y1, x2, y2]).map { "\($0)=\"\(Self.number($1))\"" }
        elements += "<line \(ends.joined(separator: " ")) stroke=\"\(color)\"/>\n"
    }

    mutating func polyline(_ points: [(x: Double, y: Double)], style: Stroke) {
        let places = points.map { "\(Self.number($0.x)),\(Self.number($0.y))" }.joined(separator: " ")
        let dashes = style.dashes.isEmpty ? "" : " stroke-dasharray=\"\(style.dashes)\""
        elements += """
            <polyline points="\(places)" fill="none" stroke="\(style.color)" \
            stroke-width="\(Self.number(style.width))" stroke-linejoin="round"\(dashes)/>

            """
    }

    /// - Parameters:
    ///   - anchor: `start`, `middle` or `end`: what of the text lies at (x, y).
    ///   - isUpright: read from below.
    mutating func text(
        _ text: String, x: Double, y: Double, anchor: String, size: Double, weight: String = "normal",
        isUpright: Bool = false
    ) {
        let turn = isUpright ? " transform=\"rotate(-90 \(Self.number(x)) \(Self.number(y)))\"" : ""
        elements += """
            <text x="\(Self.number(x))" y="\(Self.number(y))" text-anchor="\(anchor)" font-size="\(Self.number(size))" \
            font-weight="\(weight)" fill="#202020"\(turn)>\(Self.escaped(text))</text>

            """
    }

    /// In decimal with a point, whatever the locale.
    static func number(_ value: Double, decimals: Int? = nil) -> String {
        if let decimals { return String(format: "%.\(decimals)f", value) }
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() ? String(format: "%.0f", rounded) : "\(rounded)"
    }

    /// Text that XML 1.0 allows between tags; what it cannot hold at all (control characters) is shown as `�`.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\t", "\n", "\r": result += " "
            case "\u{0}"..."\u{1F}", "\u{FFFE}"..."\u{FFFF}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
