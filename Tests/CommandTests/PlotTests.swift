import Foundation
import FoundationXML
import Testing
import Tracking

@testable import lktrack

@Suite("Plots of an evaluation")
struct PlotTests {
    private static let truth = Box(x: 0, y: 0, width: 100, height: 100)

    /// A target whose boxes are all this many pixels off.
    private static func score(off distances: [Double]) -> OTBScore {
        let boxes = distances.map { Box(x: $0, y: 0, width: 100, height: 100) }
        return OTBScore(results: boxes, truth: boxes.map { _ in truth })
    }

    private static let scores: [(name: String, score: OTBScore)] = [
        ("far", score(off: [60, 70, 90])), ("<near> & \"dear\"", score(off: [1, 2, 30])),
    ]

    @Test("an XML parser reads the drawing, and gets the texts back")
    func wellFormed() throws {
        let plots = EvaluationPlots(scores: Self.scores)
        let reader = try #require(DrawingReader(SVGDocument(charts: [plots.success, plots.precision]).text))
        #expect(reader.root == "svg")
        #expect(reader.count["polyline"] == 2 * 2 * 3, "a curve and a legend line for each target and the mean, twice")
        for text in [
            "Success plot [AUC]", "Precision plot [at 20 px]", "overlap threshold", "centre error threshold, px", "0.2",
            "50", "[0.667] <near> & \"dear\"", "[0.333] mean of 2 targets", "[0.000] far",
        ] { #expect(reader.texts.contains(text), "\(text) is not in \(reader.texts)") }
    }

    @Test("the best comes first in the legend, behind the mean")
    func order() {
        #expect(EvaluationPlots(scores: Self.scores).precision.curves.map(\.value) == ["0.333", "0.667", "0.000"])
        let one = EvaluationPlots(scores: [Self.scores[0]])
        #expect(one.success.curves.map(\.name) == ["far"], "a mean of one would be drawn twice")
    }

    @Test("curves go through their values, in pixels from the top")
    func places() throws {
        let axis = LineChart.Axis(title: "", range: 0...1, spacing: 0.5, decimals: 1)
        let curve = LineChart.Curve(name: "a", value: "1", points: [(0, 0), (0.5, 1), (1, 0.25), (1, 7)])
        let chart = LineChart(title: "t", horizontal: axis, vertical: axis, curves: [curve])
        let reader = try #require(DrawingReader(SVGDocument(charts: [chart]).text))
        #expect(reader.points.first == "64,364 264,44 464,284 464,44", "beyond an axis is on its end")
    }

    @Test(
        "any name can be drawn",
        arguments: ["", "a\u{0}b\u{1F}", "\u{FFFF}", "]]>", "a very long name of a sequence", "π"])
    func names(name: String) {
        let plots = EvaluationPlots(scores: [(name, Self.score(off: [0]))])
        #expect(DrawingReader(SVGDocument(charts: [plots.success]).text) != nil)
    }

    @Test("without a scored frame there are still two plots")
    func empty() {
        let plots = EvaluationPlots(scores: [("none", Self.score(off: []))])
        #expect(DrawingReader(SVGDocument(charts: [plots.success, plots.precision]).text) != nil)
    }
}

@Suite("Starts of an evaluation")
struct EvaluationStartTests {
    @Test("starts are spread evenly; one without truth moves to the next that has it, and none comes twice")
    func starts() {
        let box = Box(x: 0, y: 0, width: 10, height: 10)
        let whole = [Box?](repeating: box, count: 10)
        #expect(SequenceEvaluation.starts(1, truth: whole[...]).map(\.frame) == [0])
        #expect(SequenceEvaluation.starts(4, truth: whole[...]).map(\.frame) == [0, 2, 5, 7])
        let gaps: [Box?] = [box, nil, nil, nil, nil, nil, box, box, nil, nil]
        #expect(SequenceEvaluation.starts(4, truth: gaps[...]).map(\.frame) == [0, 6, 7])
        #expect(SequenceEvaluation.starts(3, truth: []).isEmpty)
    }
}

@Suite("The published table of convergence")
struct ConvergenceReportTests {
    @Test("the page says of itself what the committed one says")
    func committed() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/convergence.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.hasPrefix(ConvergenceReport(conditions: []).markdown()))
        for condition in ConvergenceStudy.Condition.all { #expect(text.contains("\n## \(condition.name)\n")) }
    }

    @Test("a condition is a table with a row for each aligner; the same bytes every time")
    func table() {
        var study = ConvergenceStudy()
        (study.sigmas, study.textures, study.trials, study.side) = ([1, 2.5], 1, 2, 40)
        let report = ConvergenceReport(study: study, conditions: [.init("Nothing")])
        let text = report.markdown()
        #expect(text == report.markdown())
        #expect(text.contains("## Nothing\n\n| aligner, σ in px | 1 | 2.5 | left, px |\n|---|---:|---:|---:|\n"))
        #expect(text.contains("| forward additive | 100.0 | "))
        #expect(text.contains("| inverse compositional | 100.0 | ") && text.contains("| ESM | 100.0 | "))
    }
}

/// What an XML parser finds in a drawing; `nil` where it finds a fault.
private final class DrawingReader: NSObject, XMLParserDelegate {
    private(set) var root: String?
    private(set) var count: [String: Int] = [:]
    private(set) var texts: [String] = []
    private(set) var points: [String] = []
    private var text = ""

    init?(_ drawing: String) {
        super.init()
        let parser = XMLParser(data: Data(drawing.utf8))
        parser.delegate = self
        guard parser.parse() else { return nil }
    }

    func parser(
        _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        root = root ?? element
        count[element, default: 0] += 1
        attributes["points"].map { points.append($0) }
        text = ""
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

    func parser(
        _ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?
    ) {
        if element == "text" { texts.append(text) }
    }
}
