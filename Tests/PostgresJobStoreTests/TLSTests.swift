import Foundation
import Jobs
import ServiceHarness
import Testing

@testable import PostgresJobStore

/// With a server that takes nothing but TLS, and has a certificate for the name `db.example`.
@Suite("PostgresJobStore over TLS", .serialized)
struct TLSTests {
    /// What all tests share, because a server takes a second to be made.
    private struct Site {
        let folder: TemporaryFolder
        let server: PostgresServer

        init() throws {
            folder = try TemporaryFolder()
            try Self.certificate(folder, "server", name: "db.example")
            try Self.certificate(folder, "stranger", name: "db.example")
            let rules = try folder.write(Data("hostssl all all 127.0.0.1/32 scram-sha-256\n".utf8), to: "pg_hba.conf")
            server = try PostgresServer(
                "ssl=on", "ssl_cert_file=\(folder.path("server.pem"))", "ssl_key_file=\(folder.path("server.key"))",
                "hba_file=\(rules)")
        }

        /// Signed by itself: its own authority.
        private static func certificate(_ folder: TemporaryFolder, _ file: String, name: String) throws {
            let key = folder.path("\(file).key")
            let made = try Executable.run(
                "/usr/bin/env",
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)", "-keyout", key,
                    "-out", folder.path("\(file).pem"),
                ])
            try #require(made.status == 0, "\(made.standardError)")
            guard geteuid() == 0 else { return }
            // PostgreSQL does not run as root, and takes a key of root's that its group alone may read beside.
            let given = try Executable.run("/usr/bin/env", ["chown", "root:nogroup", key])
            try #require(given.status == 0 && chmod(key, 0o640) == 0, "\(given.standardError)")
        }
    }

    private static let site = Result { try Site() }

    private func connect(_ parameters: String, host: String = "db.example") throws -> PostgresJobStore {
        let site = try Self.site.get()
        let url = site.server.url(schema: nil, port: nil, "hostaddr=127.0.0.1", parameters)
            .replacingOccurrences(of: "@127.0.0.1:", with: "@\(host):")
        var configuration = PostgresConfiguration(url: url, connections: 1)
        configuration.patienceSeconds = 0
        return try PostgresJobStore(configuration)
    }

    private func root(_ name: String) throws -> String {
        "&sslrootcert=\(try Self.site.get().folder.path("\(name).pem"))"
    }

    private func refusal(_ parameters: String, host: String = "db.example") throws -> String {
        let error = try #require(throws: JobsError.self) { try connect(parameters, host: host) }
        #expect(error.code == .unreachable)
        return error.message
    }

    private func isEncrypted(_ store: PostgresJobStore) throws -> Bool {
        try store.inspect("SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "true"
    }

    @Test("`require` connects, encrypted, whoever has made the certificate")
    func require() throws {
        let store = try connect("sslmode=require")
        defer { store.close() }
        #expect(try isEncrypted(store))
        #expect(try store.counts()[.queued] == 0)
    }

    @Test("`verify-full` connects where the authority is the right one and the name the certificate's")
    func verified() throws {
        let store = try connect("sslmode=verify-full" + root("server"))
        defer { store.close() }
        #expect(try isEncrypted(store))
        #expect(try store.counts()[.queued] == 0)
    }

    @Test("`verify-full` refuses a certificate of another authority, and says how one is named")
    func stranger() throws {
        let message = try refusal("sslmode=verify-full" + root("stranger"))
        #expect(message.contains("certificate verify failed") && message.contains("`sslrootcert`"), "\(message)")
    }

    @Test("`verify-full` refuses a server of another name, and says both names; `verify-ca` takes it")
    func otherName() throws {
        let message = try refusal("sslmode=verify-full" + root("server"), host: "other.example")
        #expect(message.contains("db.example") && message.contains("other.example"), "\(message)")
        #expect(message.contains("must name the server as its certificate does"), "\(message)")
        let store = try connect("sslmode=verify-ca" + root("server"), host: "other.example")
        defer { store.close() }
        #expect(try isEncrypted(store))
    }

    @Test("an authority's file that is not there is named")
    func noRoot() throws {
        let message = try refusal("sslmode=verify-full" + root("nobody"))
        #expect(message.contains("nobody.pem"), "\(message)")
    }

    @Test("without TLS a server that insists on it refuses, and it is said what to change")
    func disabled() throws {
        let message = try refusal("sslmode=disable")
        #expect(message.contains("no encryption") && message.contains("`sslmode`"), "\(message)")
    }
}
