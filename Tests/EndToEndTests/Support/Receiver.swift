import Foundation
import Glibc

/// A receiver of webhooks in Python, which checks each message with Standard Webhooks' own library.
final class Receiver {
    struct Message {
        /// Of the answer; 0: the connection was reset without one.
        let answer: Int
        /// Whether the library took the signature.
        let isVerified: Bool
        let id: String
        let body: [String: Any]
    }

    static let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

    let port: Int
    private let process = Process()
    private let folder: TemporaryFolder

    /// Answers with each status in turn and the last one from then on; 0 resets the connection.
    ///
    /// - Parameters:
    ///   - fields: of every answer.
    ///   - isSecure: speaks TLS, with a certificate for `localhost` that it signed itself: ``certificate``.
    init(_ answers: [Int], fields: [String: String] = [:], isSecure: Bool = false) throws {
        folder = try TemporaryFolder()
        if isSecure {
            let made = try Executable.run(
                "/usr/bin/env",
                [
                    "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", folder.path("key.pem"), "-out",
                    folder.path("cert.pem"),
                ])
            guard made.status == 0 else { throw Server.Failure.timedOut("a certificate: \(made.standardError)") }
        }
        let script = try folder.write(Self.script.utf8, to: "receiver.py")
        process.executableURL = URL(fileURLWithPath: Python.program("python"))
        let options = try JSONSerialization.data(
            withJSONObject: ["answers": answers, "fields": fields, "secret": Self.secret, "secure": isSecure])
        process.arguments = [script, folder.url.path, String(decoding: options, as: UTF8.self)]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let file = folder.path("port")
        var port: Int?
        try poll("the receiver to listen") {
            port = (try? String(contentsOfFile: file, encoding: .utf8)).flatMap { Int($0) }
            return port != nil
        }
        self.port = port ?? 0
    }

    deinit {
        // SIGTERM may be blocked in what a Dispatch thread has started.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    var certificate: String { folder.path("cert.pem") }

    func messages() throws -> [Message] {
        let text = (try? String(contentsOfFile: folder.path("messages"), encoding: .utf8)) ?? ""
        return try text.split(separator: "\n").compactMap { line in
            let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard let entry else { return nil }
            return Message(
                answer: entry["answer"] as? Int ?? -1, isVerified: entry["verified"] as? Bool ?? false,
                id: entry["id"] as? String ?? "", body: entry["body"] as? [String: Any] ?? [:])
        }
    }

    private static let script = """
        import http.server, json, os, socket, ssl, struct, sys
        from standardwebhooks import Webhook, WebhookVerificationError
        folder, options = sys.argv[1], json.loads(sys.argv[2])
        answers = options["answers"]

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.log({"answer": -2, "verified": False})
                self.send_response(200)
                self.end_headers()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    Webhook(options["secret"]).verify(body, dict(self.headers.items()))
                    verified = True
                except WebhookVerificationError:
                    verified = False
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                self.log({"answer": answer, "verified": verified, "id": self.headers["webhook-id"],
                          "body": json.loads(body)})
                if answer == 0:
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(answer)
                for name, value in options["fields"].items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log(self, entry):
                with open(folder + "/messages", "a") as file:
                    file.write(json.dumps(entry) + "\\n")

            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if options["secure"]:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        with open(folder + "/port.new", "w") as file:
            file.write(str(server.server_address[1]))
        os.rename(folder + "/port.new", folder + "/port")
        server.serve_forever()
        """
}

extension Server {
    /// What is shown of a job's only delivery.
    func delivery(_ job: String) throws -> [String: Any] {
        let answer = try get("/v1/jobs/\(job)/deliveries")
        let all = try answer.json()["deliveries"] as? [[String: Any]]
        guard let delivery = all?.first, all?.count == 1 else { return [:] }
        return delivery
    }

    func attempts(_ job: String) throws -> [[String: Any]] { try delivery(job)["attempts"] as? [[String: Any]] ?? [] }

    /// Waits until there is nothing more to be tried; returns the delivery.
    func settledDelivery(_ job: String) throws -> [String: Any] {
        var delivery: [String: Any] = [:]
        try poll("the delivery of \(job) to end") {
            delivery = try self.delivery(job)
            return delivery["state"] as? String == "delivered" || delivery["state"] as? String == "failed"
        }
        return delivery
    }
}
