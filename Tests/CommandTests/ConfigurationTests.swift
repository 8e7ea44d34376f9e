import Foundation
import Testing

@testable import lktrack

@Suite("Configuration")
struct ConfigurationTests {
    private static let shippedFile = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("config/lktrack.yaml")

    private func load(
        _ yaml: String? = nil, environment: [String: String] = [:], flags: [String: String] = [:]
    ) throws -> ServiceConfiguration {
        try ConfigurationLoader.load(
            file: yaml.map { ($0, "test.yaml") }, environment: environment, flags: flags)
    }

    private func failure(_ yaml: String? = nil, environment: [String: String] = [:]) -> String {
        do {
            _ = try load(yaml, environment: environment)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test("the shipped file holds every key with its default")
    func shippedFile() throws {
        let text = try String(contentsOf: Self.shippedFile, encoding: .utf8)
        #expect(try load(text) == ServiceConfiguration())
        for key in ConfigurationKey.all {
            let leaf = key.name.split(separator: ".").last.map(String.init) ?? key.name
            #expect(text.contains("\n  \(leaf): ") || text.contains("\n\(leaf): "), "\(key.name) is not in the file")
        }
    }

    @Test("each key takes the text of its own default, from the environment too", arguments: ConfigurationKey.all)
    func roundTrip(_ key: ConfigurationKey) throws {
        let text = key.value(ServiceConfiguration())
        #expect(try load(environment: [key.environmentName: text]) == ServiceConfiguration())
    }

    @Test("a flag beats the environment, which beats the file, which beats the default")
    func layers() throws {
        let file = "server:\n  port: 1001\nworkers: 1\nlease_seconds: 11\n"
        let configuration = try load(
            file, environment: ["LKTRACK_SERVER_PORT": "1002", "LKTRACK_WORKERS": "2"], flags: ["server.port": "1003"])
        #expect(configuration.server.port == 1003)
        #expect(configuration.workers == 2)
        #expect(configuration.leaseSeconds == 11)
        #expect(configuration.server.address == "127.0.0.1")
    }

    @Test("an unknown key is named with its line")
    func unknownKey() {
        #expect(failure("server:\n  port: 1\n  prot: 2\n").contains("test.yaml:3: unknown key server.prot"))
        #expect(failure("server:\n  port:\n    inner: 2\n").contains("server.port"))
        #expect(failure("sever: 2\n").contains("unknown key sever"))
    }

    @Test("a wrong value is named with what was expected")
    func wrongValue() {
        #expect(failure("server:\n  port: 70000\n").contains("server.port is \"70000\"; expected a whole number"))
        #expect(failure("auth: maybe\n").contains("expected keys or none"))
        #expect(failure("server:\n  address: localhost\n").contains("server.address"))
        #expect(failure(environment: ["LKTRACK_WORKERS": "-1"]).contains("LKTRACK_WORKERS is \"-1\""))
        #expect(failure("server: [1, 2]\n").contains("server"))
        #expect(failure("blobs:\n  url: http://a\n").contains("expected file:, file:FOLDER or s3://"))
        #expect(failure("blobs:\n  url: s3://b?a=b\n").contains("expected a bucket's name"))
        #expect(failure("- a\n").contains("test.yaml"))
        #expect(failure("a: [\n").contains("not valid YAML"))
    }

    @Test("blobs can be in a bucket")
    func bucket() throws {
        let url = "s3://blobs/lktrack?endpoint=http://minio:9000&region=eu-central-1"
        #expect(try load("blobs:\n  url: \"\(url)\"\n").blobsURL == url)
        #expect(try load(environment: ["LKTRACK_BLOBS_URL": url]).hasSharedBlobs)
        #expect(try !load().hasSharedBlobs)
    }

    @Test("a wrong value in the file is told also where a flag covers it")
    func coveredValue() {
        #expect(throws: ConfigurationLoader.Failure.self) {
            try load("server:\n  port: abc\n", flags: ["server.port": "0"])
        }
    }

    @Test("a section whose keys are all commented out is empty, not unknown")
    func emptySection() throws {
        #expect(try load("server:\n  # port: 1\nworkers: 3\n").workers == 3)
    }

    @Test("a misspelt variable of a section is named; those an orchestrator sets are left alone")
    func variables() throws {
        #expect(failure(environment: ["LKTRACK_SERVER_PROT": "1"]).contains("LKTRACK_SERVER_PROT"))
        let kubernetes = ["LKTRACK_SERVICE_HOST": "10.0.0.1", "LKTRACK_PORT": "tcp://10.0.0.1:80"]
        #expect(try load(environment: kubernetes) == ServiceConfiguration())
    }

    @Test("roles are a list in the file and commas elsewhere; an empty file is all defaults")
    func roles() throws {
        #expect(try load("roles: [api]\n").roles == [.api])
        #expect(try load(environment: ["LKTRACK_ROLES": "worker, api"]).roles == [.api, .worker])
        #expect(failure("roles: [cook]\n").contains("roles"))
        #expect(try load("") == ServiceConfiguration())
        #expect(try load("# nothing\n") == ServiceConfiguration())
    }

    @Test(
        "only loopback addresses count as such",
        arguments: [
            ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("0.0.0.0", false), ("::", false),
            ("10.0.0.1", false), ("128.0.0.1", false), ("fe80::1", false), ("localhost", false),
        ])
    func loopback(_ address: String, _ isLoopback: Bool) {
        #expect(NetworkAddress.isLoopback(address) == isLoopback)
    }
}
