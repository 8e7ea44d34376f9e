import Foundation
import Glibc

/// A real nginx with the example configuration in front of a server, on free ports and with a certificate of its own.
final class Nginx {
    enum Failure: Error { case notInExample(String), didNotStart(String) }

    let folder: TemporaryFolder
    let plainPort: Int
    let port: Int
    private var process: Process?

    var url: String { "https://lktrack.example.com:\(port)" }
    /// What `curl` needs to believe the certificate, and to find the host.
    var curl: [String] {
        ["--cacert", folder.path("fullchain.pem"), "--resolve", "lktrack.example.com:\(port):127.0.0.1"]
    }

    init(_ server: Server) throws {
        folder = try TemporaryFolder()
        (plainPort, port) = (try FreePort.find(), try FreePort.find())
        let certificate = try Executable.run(
            "/usr/bin/env",
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2", "-subj", "/CN=lktrack.example.com", "-addext", "subjectAltName=DNS:lktrack.example.com",
                "-keyout", folder.path("privkey.pem"), "-out", folder.path("fullchain.pem"),
            ])
        guard certificate.status == 0 else { throw Failure.didNotStart(certificate.standardError) }
        var example = try String(contentsOfFile: Tools.example("nginx/lktrack.conf"), encoding: .utf8)
        // Only places change, never what the example says of them.
        for (place, own) in [
            ("server 127.0.0.1:8080;", "server 127.0.0.1:\(server.port);"),
            ("listen 80;", "listen 127.0.0.1:\(plainPort);"), ("listen 443 ", "listen 127.0.0.1:\(port) "),
            ("/etc/ssl/lktrack/", folder.path("") + "/"), ("/var/log/nginx/", folder.path("") + "/"),
        ] {
            guard example.contains(place) else { throw Failure.notInExample(place) }
            example = example.replacingOccurrences(of: place, with: own)
        }
        _ = try folder.write(Data(example.utf8), to: "lktrack.conf")
        _ = try folder.write(Data(Self.main(folder, including: "lktrack.conf").utf8), to: "nginx.conf")
    }

    /// What stands around a file of `conf.d`, with every path in the folder.
    static func main(_ folder: TemporaryFolder, including file: String) -> String {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { name in
            "\(name)_temp_path \(folder.path(name));"
        }
        return """
            daemon off; pid \(folder.path("nginx.pid")); worker_processes 1; user root;
            error_log \(folder.path("error.log"));
            events { }
            http { access_log off; \(temporary.joined(separator: " ")) include \(folder.path(file)); }
            """
    }

    deinit {
        guard let process else { return }
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
    }

    private var arguments: [String] {
        ["-p", folder.url.path, "-c", folder.path("nginx.conf"), "-e", folder.path("error.log")]
    }

    /// `nginx -t`
    func check() throws -> Executable.Output { try Executable.run(Tools.nginx, ["-t"] + arguments) }

    func start() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Tools.nginx)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        try poll("nginx to answer") {
            guard process.isRunning else {
                let log = try? String(contentsOfFile: folder.path("error.log"), encoding: .utf8)
                throw Failure.didNotStart(log ?? "")
            }
            return try get("/healthz").status == 200
        }
    }

    func get(_ path: String, _ arguments: String...) throws -> Curl.Response { try run(path, arguments) }

    func run(_ path: String, _ arguments: [String]) throws -> Curl.Response {
        try Curl.run(curl + arguments + [url + path])
    }
}
