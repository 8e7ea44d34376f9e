import Foundation

/// A server that speaks S3 and that nobody here wrote: PyPI's `moto`, on a free port, with one user who may do
/// everything; what requests are signed with is checked by botocore's code. Its buckets are in memory.
package final class MotoServer: Sendable {
    package enum Failure: Error { case didNotStart(String), refused(String) }

    package static let bucket = "blobs"

    package let port: Int
    package let accessKey: String
    package let secretKey: String
    private let scheme: String
    private let host: String
    private let process: Process
    /// The server ends when this is closed: with its owner, or with this process.
    private let life: Pipe

    /// Checks who asks, because the count of requests that it lets in unasked is 0. By itself it would check the decoded
    /// address, and refuse boto3, too, where that must be encoded.
    private static let program = """
        import json, os, sys, threading, flask
        os.environ.update(INITIAL_NO_AUTH_ACTION_COUNT="0", AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none")
        from moto.iam.access_control import IAMRequestBase
        from moto.iam.models import iam_backends
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from moto.s3.models import s3_backends
        from werkzeug.serving import make_server
        make = IAMRequestBase.__init__
        IAMRequestBase.__init__ = lambda self, path, **rest: make(self, path=flask.request.environ["RAW_URI"], **rest)
        iam, s3 = iam_backends["123456789012"]["aws"], s3_backends["123456789012"]["aws"]
        iam.create_user("us-east-1", "lktrack")
        key = iam.create_access_key("lktrack")
        everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
        iam.put_user_policy("lktrack", "everything", json.dumps(everything))
        s3.create_bucket(sys.argv[1], "us-east-1")
        application = DomainDispatcherApplication(create_backend_app)
        server = make_server(sys.argv[2], 0, application, threaded=True, ssl_context=tuple(sys.argv[3:]) or None)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(json.dumps({"port": server.server_port, "key": key.access_key_id, "secret": key.secret_access_key}), flush=True)
        for line in sys.stdin:
            bucket = s3.buckets[sys.argv[1]]
            names = [name for name, _ in bucket.keys.items()]
            uploads = [upload.key_name for upload in bucket.multiparts.values()]
            print(json.dumps({"objects": sorted(names), "uploads": sorted(uploads)}), flush=True)
        os._exit(0)
        """

    /// - Parameters:
    ///   - certificate: speaks TLS, with the certificate and the key of these files.
    ///   - host: the address to listen on.
    ///   - launcher: a command that becomes the server's: it is given that as further arguments.
    package init(
        certificate: (path: String, keyPath: String)? = nil, host: String = "127.0.0.1", launcher: [String] = []
    ) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let process = Process()
        let python = root.appendingPathComponent(".build-python/bin/python").path
        let command =
            launcher + [python, "-c", Self.program, Self.bucket, host]
            + (certificate.map { [$0.path, $0.keyPath] } ?? [])
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        self.host = host
        scheme = certificate == nil ? "http" : "https"
        let (life, output, errors) = (Pipe(), Pipe(), try TemporaryFile())
        process.standardInput = life
        process.standardOutput = output
        process.standardError = errors.handle
        try process.run()
        let answers = LineReader(output.fileHandleForReading)
        guard let line = answers.next(),
            let started = try JSONSerialization.jsonObject(with: line) as? [String: Any],
            let port = started["port"] as? Int, let key = started["key"] as? String,
            let secret = started["secret"] as? String
        else { throw Failure.didNotStart(String(decoding: (try? errors.contents()) ?? Data(), as: UTF8.self)) }
        (self.port, accessKey, secretKey) = (port, key, secret)
        (self.process, self.life, self.answers) = (process, life, answers)
    }

    private let answers: LineReader

    deinit { stop() }

    /// Ends it, with all that is in it.
    package func stop() {
        try? life.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    package var endpoint: String { "\(scheme)://\(host):\(port)" }

    /// What a process needs to be the user.
    package var environment: [String: String] {
        ["AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_EC2_METADATA_DISABLED": "true"]
    }

    /// `blobs.url` of a prefix.
    package func url(_ prefix: String = "", endpoint: String? = nil, _ more: String = "") -> String {
        "s3://\(Self.bucket)/\(prefix)?endpoint=\(endpoint ?? self.endpoint)&region=us-east-1\(more)"
    }

    /// The names of all objects, and those of uploads that were begun and not ended.
    package func contents(_ prefix: String = "") throws -> (objects: [String], uploads: [String]) {
        let line = try answers.afterAsking { try life.fileHandleForWriting.write(contentsOf: Data("\n".utf8)) }
        guard let found = try JSONSerialization.jsonObject(with: line) as? [String: [String]] else {
            throw Failure.refused(String(decoding: line, as: UTF8.self))
        }
        func under(_ names: [String]?) -> [String] { (names ?? []).filter { $0.hasPrefix(prefix) } }
        return (under(found["objects"]), under(found["uploads"]))
    }
}

/// Lines of a pipe, one at a time; one who asks at a time.
private final class LineReader: Sendable {
    private let lock = NSLock()
    private let handle: FileHandle

    init(_ handle: FileHandle) { self.handle = handle }

    /// `nil` at the end.
    func next() -> Data? {
        var line = Data()
        while let byte = try? handle.read(upToCount: 1), !byte.isEmpty {
            if byte.first == UInt8(ascii: "\n") { return line }
            line += byte
        }
        return line.isEmpty ? nil : line
    }

    func afterAsking(_ ask: () throws -> Void) throws -> Data {
        try lock.withLock {
            try ask()
            guard let line = next() else { throw MotoServer.Failure.didNotStart("it has ended") }
            return line
        }
    }
}
