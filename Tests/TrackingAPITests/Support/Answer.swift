import Dispatch
import HTTPServer
import Jobs
import Testing

@testable import TrackingAPI

/// A response with its body read to the end.
struct Answer {
    let status: Int
    let fields: HTTPFields
    let body: [UInt8]
    let route: String?
    let note: String?
    /// What `Content-Length` would be; `nil` where the body is chunked.
    let length: Int64?

    init(_ response: HTTPResponse) {
        status = response.status
        fields = response.fields
        route = response.route
        note = response.logNote
        switch response.body {
        case .empty: (body, length) = ([], 0)
        case .bytes(let bytes): (body, length) = (bytes, Int64(bytes.count))
        case .stream(let stream):
            length = stream.count
            body = Self.all(stream)
        }
    }

    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSONValue? { try? JSONValue(parsing: body) }
    var pointers: [String] { json?["errors"]?.arrayValue?.compactMap { $0["pointer"]?.stringValue } ?? [] }
    var detail: String { json?["detail"]?.stringValue ?? "" }

    /// The id of the job that is the body.
    var jobID: JobID? { json?["id"]?.stringValue.flatMap { JobID($0) } }

    /// With a buffer of an odd size, so that pieces do not fit by accident.
    private static func all(_ stream: any HTTPBodyStream) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 777)
        let woken = DispatchSemaphore(value: 0)
        // The others may go on for ever.
        let pooled = stream as? PooledBody
        pooled?.attach { woken.signal() }
        while let count = try? buffer.withUnsafeMutableBytes({ try stream.read(into: $0) }) {
            bytes += buffer[..<count]
            guard count == 0 else { continue }
            guard let pooled, pooled.pending(), woken.wait(timeout: .now() + 30) == .success else { break }
        }
        return bytes
    }
}

/// Checks that an answer is a whole problem document (RFC 9457) for this request.
func expectProblem(
    _ answer: Answer, _ status: Int, pointer: String? = nil, saying words: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(answer.status == status, "\(answer.text)", sourceLocation: sourceLocation)
    #expect(answer.fields["Content-Type"] == "application/problem+json", sourceLocation: sourceLocation)
    #expect(answer.json?["status"]?.intValue == status, sourceLocation: sourceLocation)
    #expect(answer.json?["instance"]?.stringValue == "request-1", sourceLocation: sourceLocation)
    for member in ["type", "title", "detail"] {
        #expect(answer.json?[member]?.stringValue?.isEmpty == false, "\(member)", sourceLocation: sourceLocation)
    }
    if let pointer { #expect(answer.pointers.contains(pointer), "\(answer.text)", sourceLocation: sourceLocation) }
    if let words { #expect(answer.detail.contains(words), "\(answer.text)", sourceLocation: sourceLocation) }
}
