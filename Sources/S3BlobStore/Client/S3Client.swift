import CCurl
import Foundation
import Jobs
import Synchronization

/// A request for an object of the bucket, or for the bucket itself.
struct S3Request {
    var method: String
    /// Empty: the bucket.
    var object = ""
    var query: [(name: String, value: String)] = []
    /// Names in lower case; all of them are signed.
    var fields: [(name: String, value: String)] = []
    var body: Payload = .none
    /// Statuses beside 2xx that the caller knows what to do with.
    var accepts: Set<Int> = []
    /// Whether the answer may say in its body, after `200`, that it came to nothing (copies, and ends of uploads).
    var mayFailLate = false
    /// Seconds without a byte; copies within S3 take their time.
    var stallSeconds = 30
    var seconds: Double?
}

struct S3Response {
    var status: Int
    var fields: [String: String]
    var body: [UInt8]
    /// Of an error: `NoSuchKey`.
    var code: String?

    /// The object, or the upload, is not there; while a bucket that is not there is an error.
    var isMissing: Bool { status == 404 }
    var entityTag: String? { fields["etag"] }

    /// The body as XML.
    func xml() throws(S3XMLReader.Malformed) -> S3XML { try S3XMLReader.read(body) }

    /// The server's clock.
    var date: Date? { fields["date"].flatMap(S3Client.date) }
}

/// Signs requests, sends them, and sends them again where that may help. Blocks: not for Swift's cooperative threads.
final class S3Client: Sendable {
    let location: S3Location
    private let region: String
    private let address: S3Address
    private let credentials: any S3CredentialSource
    private let connections: HTTPConnections
    private let retries: S3Retries
    private let clock: any Jobs.Environment
    /// A request may be this late; a second, by which dates are rounded, says nothing.
    private static let noticedSkewSeconds = 60.0
    /// Seconds that the server's clock is ahead, where it once refused a request for that.
    private let skew = Mutex(0.0)

    init(
        _ location: S3Location, region: String, credentials: any S3CredentialSource, connections: HTTPConnections,
        retries: S3Retries = S3Retries(), clock: any Jobs.Environment = SystemEnvironment()
    ) {
        self.location = location
        self.region = region
        self.credentials = credentials
        self.connections = connections
        self.retries = retries
        self.clock = clock
        address = location.address(region: region)
    }

    /// The time by the clock that requests are signed with.
    var now: Date { clock.now().addingTimeInterval(skew.withLock { $0 }) }

    /// As `x-amz-copy-source` names an object.
    func copySource(_ object: String) -> String { "/\(location.bucket)/\(PercentEncoding.path(object))" }

    /// - Parameters:
    ///   - retries: in place of the client's.
    ///   - sink: takes the body of a `2xx`. Once it has taken something, the request is not sent again.
    /// - Throws: ``JobsError``; what the sink, and reading the body, throws.
    func send(_ request: S3Request, retries: S3Retries? = nil, sink: HTTPSink? = nil) throws -> S3Response {
        let retries = retries ?? self.retries
        var hasBegun = false
        var hasNewKeys = false
        var attempt = 1
        while true {
            var asked: Double?
            do {
                let reply = try exchange(
                    request,
                    sink: sink.map { sink in
                        { bytes in
                            hasBegun = true
                            try sink(bytes)
                        }
                    })
                let response = Self.response(reply, request)
                if (200..<300).contains(response.status) && response.code == nil { return response }
                if request.accepts.contains(response.status) && response.code != "NoSuchBucket" { return response }
                if !hasNewKeys && mayBeMended(response, request) {
                    hasNewKeys = true
                    continue
                }
                guard Self.isPassing(response), attempt < retries.attempts else {
                    throw failure(request, response, attempt)
                }
                asked = reply.fields["retry-after"].flatMap(Double.init)
            } catch let error as HTTPFailure {
                guard error.isPassing, !hasBegun else { throw unreachable(request, error, attempt, hasBegun) }
                guard attempt < retries.attempts else { throw unreachable(request, error, attempt, false) }
            } catch let error as S3CredentialsMissing {
                throw JobsError(error.isPassing ? .unreachable : .io, "\(name(request)): \(error.message)")
            }
            retries.wait(after: attempt, asked: asked)
            attempt += 1
        }
    }

    private func exchange(_ request: S3Request, sink: HTTPSink?) throws -> HTTPReply {
        let keys = try credentials.current()
        let time = SignatureV4.timestamp(now)
        let path = address.path(of: request.object)
        var fields = request.fields
        fields += [("x-amz-content-sha256", request.body.sha256), ("x-amz-date", time)]
        if let token = keys.sessionToken { fields.append(("x-amz-security-token", token)) }
        let authorization = SignatureV4(credentials: keys, region: region).authorization(
            .init(
                method: request.method, path: path, query: request.query, fields: fields + [("host", address.host)],
                payloadHash: request.body.sha256),
            time: time)
        let query = SignatureV4.canonicalQuery(request.query)
        return try connections.exchange(
            HTTPMessage(
                method: request.method,
                url: "\(address.scheme)://\(address.host)\(path)" + (query.isEmpty ? "" : "?\(query)"),
                fields: fields + [("authorization", authorization)], body: request.body,
                stallSeconds: request.stallSeconds, seconds: request.seconds),
            sink: sink)
    }

    private static func response(_ reply: HTTPReply, _ request: S3Request) -> S3Response {
        var response = S3Response(status: reply.status, fields: reply.fields, body: reply.body)
        let isSuccess = (200..<300).contains(reply.status)
        guard !isSuccess || request.mayFailLate, let xml = try? response.xml(), xml.name == "Error" else {
            return response
        }
        response.code = xml["Code"] ?? "unknown"
        return response
    }

    // MARK: Errors

    /// Keys that have expired or were changed, and a clock that is wrong, are put right once.
    private func mayBeMended(_ response: S3Response, _ request: S3Request) -> Bool {
        switch response.code {
        case "ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId":
            credentials.forget()
            return true
        case "RequestTimeTooSkewed":
            return followClock(of: response, from: 0)
        // The answer to HEAD has no body to say which of these it is.
        case nil where request.method == "HEAD" && (response.status == 400 || response.status == 403):
            credentials.forget()
            _ = followClock(of: response, from: Self.noticedSkewSeconds)
            return true
        default: return false
        }
    }

    /// - Parameter least: seconds of difference that matter.
    private func followClock(of response: S3Response, from least: Double) -> Bool {
        guard let theirs = response.date else { return false }
        let difference = theirs.timeIntervalSince(clock.now())
        if abs(difference) >= least { skew.withLock { $0 = difference } }
        return true
    }

    /// Whether the same request may succeed later.
    private static func isPassing(_ response: S3Response) -> Bool {
        switch response.status {
        case 429, 500, 502, 503, 504: true
        case 200: response.code == "InternalError" || response.code == "SlowDown"
        case 400: response.code == "RequestTimeout"
        // Two changes of one object at the same time.
        case 409: response.code == "OperationAborted" || response.code == "ConditionalRequestConflict"
        default: false
        }
    }

    private func failure(_ request: S3Request, _ response: S3Response, _ attempts: Int) -> JobsError {
        let xml = try? response.xml()
        let answer = [String(response.status), response.code].compactMap { $0 }.joined(separator: " ")
        let message = xml?["Message"].map { ": \($0)" } ?? ""
        let identifier = response.fields["x-amz-request-id"].map { ", request \($0)" } ?? ""
        let text =
            "\(name(request)): \(answer)\(message) (\(address.scheme)://\(address.host), region \(region)\(identifier)"
            + "\(attempts > 1 ? ", after \(attempts) attempts" : ""))\(advice(response, xml))"
        switch response.code {
        case "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded":
            return JobsError(.storageFull, text)
        default:
            if response.status == 507 { return JobsError(.storageFull, text) }
            return JobsError(Self.isPassing(response) ? .unreachable : .io, text)
        }
    }

    /// What to do about it.
    private func advice(_ response: S3Response, _ xml: S3XML?) -> String {
        let keys = "the keys of \((try? credentials.current())?.source ?? "this service")"
        switch response.code ?? "" {
        case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "InvalidClientTokenId",
            "AuthorizationHeaderMalformed":
            return ". Check \(keys), and the region" + (xml?["Region"].map { "; the bucket's is \($0)" } ?? "")
        case "AccessDenied":
            return ". Allow \(keys) to list the bucket, and to get, put and delete its objects"
        case "NoSuchBucket": return ". Make the bucket, or name another in blobs.url"
        case "PermanentRedirect", "TemporaryRedirect":
            return ". Name the region, or the endpoint \(xml?["Endpoint"] ?? "of the bucket"), in blobs.url"
        default:
            return response.status == 403 ? ". The keys, or the region, are not those that the server expects" : ""
        }
    }

    private func unreachable(
        _ request: S3Request, _ error: HTTPFailure, _ attempts: Int, _ hasBegun: Bool
    ) -> any Error {
        // Of what came in part, the caller asks for the rest.
        if hasBegun { return error }
        return JobsError(
            .unreachable,
            "\(name(request)): \(address.scheme)://\(address.host) does not answer: \(error.message)"
                + (attempts > 1 ? " (after \(attempts) attempts)" : ""))
    }

    private func name(_ request: S3Request) -> String {
        "\(request.method) s3://\(location.bucket)/\(request.object)"
    }

    /// A date of HTTP's (RFC 9110 §5.6.7).
    static func date(_ text: String) -> Date? {
        let seconds = curl_getdate(text, nil)
        return seconds >= 0 ? Date(timeIntervalSince1970: Double(seconds)) : nil
    }
}
