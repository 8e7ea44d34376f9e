import Foundation
import Testing

@Suite("The examples for Prometheus")
struct PrometheusTests {
    private func promtool(_ arguments: [String]) throws {
        let output = try Executable.run(Tools.promtool, arguments)
        #expect(output.status == 0, "\(arguments): \(output.text) \(output.standardError)")
    }

    @Test("promtool accepts the configuration and the rules, and each alert fires when it must and only then")
    func check() throws {
        try promtool(["check", "config", Tools.example("prometheus/prometheus.yml")])
        try promtool(["check", "rules", "--lint-fatal", Tools.example("prometheus/lktrack.rules.yml")])
        try promtool(["test", "rules", Tools.example("prometheus/lktrack.rules.test.yml")])
    }

    @Test("promtool finds nothing to say against the metrics of a running server")
    func lint() throws {
        let server = try Server()
        let folder = try TemporaryFolder()
        let metrics = try folder.write(try server.get("/metrics").body, to: "metrics")
        let output = try Executable.run(
            "/usr/bin/env", ["sh", "-c", "exec \"$0\" check metrics < \"$1\"", Tools.promtool, metrics])
        #expect(output.status == 0 && output.standardError.isEmpty, "\(output.text) \(output.standardError)")
    }

    @Test("every metric that an alert asks for is one that a server has, and is documented")
    func names() throws {
        let server = try Server()
        let video = try Material.syntheticVideo(frames: 3)
        _ = try server.finish(try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"]))
        let families = try Scrape(server).families
        let samples = Set(families.flatMap { $0.samples.keys.map { String($0.prefix { $0 != "{" }) } })
        let rules = try String(contentsOfFile: Tools.example("prometheus/lktrack.rules.yml"), encoding: .utf8)
        let used = Set(rules.matches(of: /\b(lktrack|process)_[a-z_]+/).map { String($0.output.0) })
        #expect(used.count >= 10)
        #expect(used.subtracting(samples).isEmpty)
        let manual = try String(contentsOfFile: Python.root.path + "/docs/operations.md", encoding: .utf8)
        for family in families {
            let name = family.type == "counter" ? family.name + "_total" : family.name
            #expect(manual.contains("`\(name)`"), "\(name)")
        }
        for alert in rules.matches(of: /- alert: (\w+)/) {
            #expect(manual.contains("`\(alert.output.1)`"), "\(alert.output.1)")
        }
    }
}
