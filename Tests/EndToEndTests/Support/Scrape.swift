import Foundation

/// A server's metrics as `prometheus_client` reads them, which nobody here wrote.
struct Scrape {
    struct Family: Decodable {
        let name: String
        let type: String
        let help: String
        /// By name and labels, as `name{a="b"}`, the labels sorted.
        let samples: [String: Double]
    }

    let families: [Family]

    /// - Parameter openMetrics: which of the two formats is asked for.
    init(_ server: Server, openMetrics: Bool = false) throws {
        let output = try Python.run(Self.script, server.url, openMetrics ? "openmetrics" : "text")
        guard output.status == 0 else { throw Server.Failure.timedOut("metrics: \(output.standardError)") }
        families = try JSONDecoder().decode([Family].self, from: output.standardOutput)
    }

    /// A sample's value; 0 where there is none yet.
    subscript(sample: String) -> Double { families.lazy.compactMap { $0.samples[sample] }.first ?? 0 }

    func family(_ name: String) -> Family? { families.first { $0.name == name } }

    private static let script = """
        import json, sys, urllib.request
        from prometheus_client import parser
        from prometheus_client.openmetrics import parser as openmetrics
        url, form = sys.argv[1:]
        accept = "application/openmetrics-text; version=1.0.0" if form == "openmetrics" else "text/plain"
        answer = urllib.request.urlopen(urllib.request.Request(url + "/metrics", headers={"Accept": accept}))
        text = answer.read().decode()
        parse = openmetrics if form == "openmetrics" else parser
        families = []
        for family in parse.text_string_to_metric_families(text):
            samples = {}
            for sample in family.samples:
                labels = ",".join('%s="%s"' % pair for pair in sorted(sample.labels.items()))
                name = sample.name + ("{" + labels + "}" if labels else "")
                assert name not in samples, name + " is there twice"
                samples[name] = sample.value
            families.append({"name": family.name, "type": family.type, "help": family.documentation,
                             "samples": samples})
        print(json.dumps(families))
        """
}

extension Server {
    func version() throws -> String { try get("/healthz").json()["version"] as? String ?? "" }
}
