import Foundation
import HTTPServer
import JobStoreContract
import Jobs
import Logging
import Testing
import TrackingAPI

/// What a client of tus does.
extension Service {
    static let tus: [(name: String, value: String)] = [("Tus-Resumable", "1.0.0")]
    static let chunk: [(name: String, value: String)] =
        tus + [("Content-Type", "application/offset+octet-stream")]

    /// Creates an upload; returns its path.
    func create(
        _ length: Int?, _ fields: [(name: String, value: String)] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let size = length.map { ("Upload-Length", String($0)) } ?? ("Upload-Defer-Length", "1")
        let answer = send("POST", "/v1/uploads", Self.tus + [size] + fields)
        try #require(answer.status == 201, "\(answer.text)", sourceLocation: sourceLocation)
        return try #require(answer.fields["Location"], sourceLocation: sourceLocation)
    }

    func patch(
        _ path: String, at offset: Int, _ bytes: some Sequence<UInt8>,
        _ fields: [(name: String, value: String)] = [], pieces: [Int] = [1_000]
    ) -> Answer {
        send(
            "PATCH", path, Self.chunk + [("Upload-Offset", String(offset))] + fields, body: Array(bytes),
            pieces: pieces)
    }

    /// HEAD, as the server hands it on.
    func head(_ path: String, _ fields: [(name: String, value: String)] = Service.tus) -> Answer {
        let request = Self.request("GET", path, HTTPFields(fields)).asked(by: "HEAD")
        switch api.begin(request) {
        case .respond(let response): return Answer(response)
        case .work(let work): return Answer(work())
        default:
            Issue.record("HEAD takes no body and answers at once")
            return Answer(HTTPResponse(status: 0))
        }
    }

    /// What the server says is durable.
    func offset(_ path: String) -> Int? { head(path).fields["Upload-Offset"].flatMap { Int($0) } }

    /// A whole upload; returns its path.
    func upload(_ bytes: [UInt8], _ fields: [(name: String, value: String)] = []) throws -> String {
        let path = try create(bytes.count, fields)
        try #require(patch(path, at: 0, bytes).status == 204)
        return path
    }

    /// The sink of a request whose body is about to come.
    func sink(
        _ method: String, _ path: String, _ fields: [(name: String, value: String)], count: Int? = nil
    ) throws -> any HTTPBodySink {
        var fields = HTTPFields(fields)
        if let count { fields["Content-Length"] = String(count) } else { fields["Transfer-Encoding"] = "chunked" }
        guard case .receive(let sink, _, _) = api.begin(Self.request(method, path, fields)) else {
            throw JobsError(.io, "the body is not taken")
        }
        return sink
    }

    /// A PATCH that announces more than comes before the connection breaks.
    func cut(
        _ path: String, at offset: Int, _ bytes: some Sequence<UInt8>, of count: Int,
        _ fields: [(name: String, value: String)] = []
    ) throws {
        let sink = try sink("PATCH", path, Self.chunk + [("Upload-Offset", String(offset))] + fields, count: count)
        #expect(sink.take(Array(bytes)) == nil)
        sink.abort()
        api.finishUploads()
    }

    func sweeper() -> UploadSweeper {
        UploadSweeper(uploads: store, blobs: blobs, uploadSeconds: 60, logger: Logger(label: "test"))
    }

    func track(_ uploadPath: String, spec: String = #""targets": [{"box": [1, 2, 30, 40]}]"#) -> Answer {
        let id = uploadPath.split(separator: "/").last ?? ""
        let body = #"{"source": {"upload": "\#(id)"}, \#(spec)}"#
        return send("POST", "/v1/jobs", [("Content-Type", "application/json")], body: Array(body.utf8))
    }

    /// Whether there is neither a row nor a byte of any upload. Moves the clock past the end of them all.
    func hasNoUploads(_ clock: ManualEnvironment) throws -> Bool {
        clock.advance(1_000_000)
        return try store.expireUploads().isEmpty && uploadFolders().isEmpty
    }

    /// Uploads that have bytes, finished or not.
    func uploadFolders() throws -> [String] { try blobs.children(of: "uploads") }
}

extension HTTPBodySink {
    /// The status of an early answer.
    func take(_ bytes: [UInt8]) -> Int? { bytes.withUnsafeBytes { receive($0) }?.status }
}

extension UploadID {
    init?(path: String) { self.init(path.split(separator: "/").last ?? "") }
}
