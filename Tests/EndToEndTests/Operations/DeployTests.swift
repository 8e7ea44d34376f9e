import Foundation
import Testing

@Suite("The examples for several machines")
struct DeployTests {
    private static let folder = Python.root.path + "/deploy"

    @Test("Kubernetes' own schemas accept every manifest, with no field that they do not know")
    func manifests() throws {
        let manifests = try FileManager.default.contentsOfDirectory(atPath: Self.folder + "/kubernetes")
            .filter { $0.hasSuffix(".yaml") && $0 != "kustomization.yaml" }.sorted()
        #expect(manifests.count >= 5)
        let output = try Executable.run(
            Python.program("kubernetes-validate"),
            ["--strict"] + manifests.map { "\(Self.folder)/kubernetes/\($0)" })
        #expect(output.status == 0, "\(output.text) \(output.standardError)")
    }

    @Test("every setting that they make is one of config/lktrack.yaml")
    func settings() throws {
        let output = try Python.run(
            """
            import sys, yaml
            known, compose, manifests = sys.argv[1], sys.argv[2], sys.argv[3:]
            def keys(values, prefix):
                for key, value in values.items():
                    yield prefix + key.upper()
                    if isinstance(value, dict): yield from keys(value, prefix + key.upper() + "_")
            made = []
            for service in yaml.safe_load(open(compose))["services"].values():
                made += service.get("environment", {})
            for path in manifests:
                for document in yaml.safe_load_all(open(path)):
                    if document["kind"] == "ConfigMap": made += document["data"]
                    if document["kind"] == "Deployment":
                        for container in document["spec"]["template"]["spec"]["containers"]:
                            made += [entry["name"] for entry in container.get("env", [])]
            made = {key for key in made if key.startswith("LKTRACK_")}
            print(len(made), *sorted(made - set(keys(yaml.safe_load(open(known)), "LKTRACK_"))))
            """, Tools.example("lktrack.yaml"), Self.folder + "/compose.yaml",
            Self.folder + "/kubernetes/config.yaml", Self.folder + "/kubernetes/api.yaml",
            Self.folder + "/kubernetes/worker.yaml")
        #expect(output.text == "8\n", "\(output.text) \(output.standardError)")
    }

    @Test("nginx accepts the configuration of the three nodes")
    func nginx() throws {
        let folder = try TemporaryFolder()
        let nodes = try String(contentsOfFile: Self.folder + "/nginx.conf", encoding: .utf8)
            .replacing(/lktrack-\d:8080/, with: "127.0.0.1:8080").replacing(
                "listen 80;", with: "listen 127.0.0.1:8081;")
        _ = try folder.write(Data(nodes.utf8), to: "nodes.conf")
        _ = try folder.write(Data(Nginx.main(folder, including: "nodes.conf").utf8), to: "nginx.conf")
        let output = try Executable.run(
            Tools.nginx,
            ["-t", "-p", folder.url.path, "-c", folder.path("nginx.conf"), "-e", folder.path("error.log")])
        #expect(output.status == 0 && !output.standardError.contains("[warn]"), "\(output.standardError)")
    }
}
