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

    @Test("every setting that they make is a key that a server knows")
    func settings() throws {
        let output = try Python.run(
            """
            import json, re, sys, yaml
            compose, manifests = sys.argv[1], sys.argv[2:]
            found = {}
            for service in yaml.safe_load(open(compose))["services"].values():
                found.update(service.get("environment", {}))
            for path in manifests:
                for document in yaml.safe_load_all(open(path)):
                    if document["kind"] == "ConfigMap": found.update(document["data"])
                    if document["kind"] == "Deployment":
                        for container in document["spec"]["template"]["spec"]["containers"]:
                            found.update({entry["name"]: entry["value"] for entry in container.get("env", [])})
            print(json.dumps({key: str(value) for key, value in found.items() if key.startswith("LKTRACK_")}))
            """, Self.folder + "/compose.yaml", Self.folder + "/kubernetes/config.yaml",
            Self.folder + "/kubernetes/api.yaml", Self.folder + "/kubernetes/worker.yaml")
        var settings = try #require(try JSONSerialization.jsonObject(with: Data(output.text.utf8)) as? [String: String])
        #expect(settings.count >= 6)
        // What is theirs alone: the databases, the folder, and no keys yet.
        for key in ["LKTRACK_STORE_URL", "LKTRACK_BLOBS_URL", "LKTRACK_DATA_DIR"] {
            #expect(settings.removeValue(forKey: key) != nil, "\(key)")
        }
        let server = try Server(environment: settings)
        #expect(try server.get("/healthz").status == 200)
        // An unknown key stops the start, so the one above knew all.
        #expect(throws: (any Error).self) { try Server(environment: ["LKTRACK_NO_SUCH_KEY": "1"]) }
    }

    @Test("nginx accepts the configuration of the three nodes")
    func nginx() throws {
        let folder = try TemporaryFolder()
        let nodes = try String(contentsOfFile: Self.folder + "/nginx.conf", encoding: .utf8)
            .replacing(/lktrack-\d:8080/, with: "127.0.0.1:8080").replacing(
                "listen 80;", with: "listen 127.0.0.1:8081;")
        _ = try folder.write(Data(nodes.utf8), to: "nodes.conf")
        let main = "pid \(folder.path("pid")); events {} http { include nodes.conf; access_log off; }"
        _ = try folder.write(Data(main.utf8), to: "nginx.conf")
        let output = try Executable.run(
            Tools.nginx,
            ["-t", "-p", folder.url.path, "-c", folder.path("nginx.conf"), "-e", folder.path("error.log")])
        #expect(output.status == 0 && !output.standardError.contains("[warn]"), "\(output.standardError)")
    }
}
