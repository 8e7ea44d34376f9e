import Crypto
import Foundation
import Jobs

/// What is known of an object without its bytes.
struct S3ObjectInfo: Hashable, Sendable {
    var count: Int64
    /// Changes with the bytes; in quotes.
    var entityTag: String?
    /// The digest that was stored with it.
    var sha256: String?
}

/// An entry of a list.
package struct S3ListEntry: Hashable, Sendable {
    var name: String
    var count: Int64
    var entityTag: String?
    /// By the server's clock.
    var modified: Date
}

package struct S3List: Sendable {
    var entries: [S3ListEntry] = []
    /// What names have in common up to the delimiter, which ends them.
    var prefixes: [String] = []
    /// By the server's clock.
    var date: Date?

    package init() {}

    /// Adds a page, a `ListBucketResult`.
    package mutating func append(page: S3XML) throws(S3XMLReader.Malformed) {
        for entry in page.all("Contents") {
            guard let name = entry["Key"], let count = entry["Size"].flatMap(S3Client.byteCount),
                let modified = entry["LastModified"].flatMap({ RFC3339.date($0) })
            else { throw S3XMLReader.Malformed() }
            entries.append(S3ListEntry(name: name, count: count, entityTag: entry["ETag"], modified: modified))
        }
        prefixes += page.all("CommonPrefixes").compactMap { $0["Prefix"] }
    }
}

extension S3Client {
    /// A length that an answer tells: decimal digits, and no more bytes than an object can have, so that the sum of many
    /// is a number still.
    static func byteCount(_ text: some StringProtocol) -> Int64? {
        guard (1...15).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(text)
    }

    static let digestField = "x-amz-meta-sha256"
    /// What one request may copy.
    static let mostCopied: Int64 = 5 << 30
    /// What one request may remove, or list.
    static let mostNamed = 1000
    /// Pages of a list: ten million objects. More is a server that never comes to an end.
    static let mostPages = 10_000

    /// - Returns: the entity tag.
    @discardableResult
    func put(_ object: String, _ body: Payload, digest: String? = nil, retries: S3Retries? = nil) throws -> String? {
        let fields = digest.map { [(name: Self.digestField, value: $0)] } ?? []
        let request = S3Request(method: "PUT", object: object, fields: fields, body: body)
        return try send(request, retries: retries).entityTag
    }

    /// - Returns: `nil` where there is no such object.
    func head(_ object: String) throws -> S3ObjectInfo? {
        let response = try send(S3Request(method: "HEAD", object: object, accepts: [404]))
        return response.isMissing ? nil : try info(response, object)
    }

    /// Gets a range of an object. Where the connection is lost on the way, the rest is asked for, of the same version.
    ///
    /// - Parameters:
    ///   - entityTag: of the version that is wanted; any other is an error.
    ///   - sink: takes the bytes, each once.
    /// - Returns: what it is a part of; `nil` where there is no such object.
    /// - Throws: ``JobsError``; what the sink throws.
    @discardableResult
    func get(
        _ object: String, _ range: Range<Int64>, entityTag: String? = nil, sink: @escaping HTTPSink
    ) throws -> S3ObjectInfo? {
        var entityTag = entityTag
        var position = range.lowerBound
        var end = range.upperBound
        var found: S3ObjectInfo?
        var failures = 0
        while position < end {
            var fields = [(name: "range", value: "bytes=\(position)-\(end - 1)")]
            if let entityTag { fields.append(("if-match", entityTag)) }
            let request = S3Request(method: "GET", object: object, fields: fields, accepts: [404, 412, 416])
            let before = position
            do {
                let response = try send(request) { [location] bytes in
                    guard Int64(bytes.count) <= end - position else {
                        throw JobsError(.io, "GET s3://\(location.bucket)/\(object): more came than was asked for")
                    }
                    try sink(bytes)
                    position += Int64(bytes.count)
                }
                switch response.status {
                case 404:
                    guard position == range.lowerBound else { throw changed(object) }
                    return nil
                case 412: throw changed(object)
                // An empty object has no range at all.
                case 416: return try head(object)
                default: break
                }
                let info = try info(response, object)
                found = info
                entityTag = info.entityTag
                end = min(end, info.count)
                guard position > before || position >= end else {
                    throw HTTPFailure(message: "an empty answer", isPassing: true)
                }
                failures = 0
            } catch let error as HTTPFailure {
                failures = position > before ? 1 : failures + 1
                guard error.isPassing, failures < Self.mostResumptions else {
                    throw JobsError(
                        .unreachable,
                        "GET s3://\(location.bucket)/\(object): lost at byte \(position): \(error.message)")
                }
                // What has come so far must be of what comes.
                if entityTag == nil, position > range.lowerBound {
                    guard let info = try head(object) else { throw changed(object) }
                    (entityTag, found) = (info.entityTag, info)
                    end = min(end, info.count)
                }
            }
        }
        return found
    }

    /// Times in a row that a connection may be lost without a byte.
    private static let mostResumptions = 5

    /// Removes objects, a thousand in a request. No error for those that are not there.
    func delete(_ objects: [String]) throws {
        for start in stride(from: 0, to: objects.count, by: Self.mostNamed) {
            let batch = objects[start..<min(start + Self.mostNamed, objects.count)]
            let keys = batch.map { "<Object><Key>\(S3XMLReader.escape($0))</Key></Object>" }.joined()
            let body = Array("<Delete><Quiet>true</Quiet>\(keys)</Delete>".utf8)
            let digest = Data(Insecure.MD5.hash(data: body)).base64EncodedString()
            // The one request that asks for an MD5, and which some servers take no other digest for.
            let request = S3Request(
                method: "POST", query: [("delete", "")], fields: [("content-md5", digest)], body: Payload(body))
            let response = try send(request)
            guard !response.body.isEmpty else { continue }
            if let error = try parse(response, "DeleteResult", of: request).child("Error") {
                throw JobsError(
                    .io,
                    "DELETE s3://\(location.bucket)/\(error["Key"] ?? ""): \(error["Code"] ?? "") "
                        + "\(error["Message"] ?? "")")
            }
        }
    }

    /// All objects whose names begin with a prefix.
    ///
    /// - Parameter delimiter: what follows it in a name is left out; see ``S3List/prefixes``.
    func list(_ prefix: String, delimiter: String? = nil) throws -> S3List {
        var list = S3List()
        var token: String?
        var tokens: Set<String> = []
        for _ in 0..<Self.mostPages {
            var query = [(name: "list-type", value: "2"), (name: "prefix", value: prefix)]
            if let delimiter { query.append(("delimiter", delimiter)) }
            if let token { query.append(("continuation-token", token)) }
            let request = S3Request(method: "GET", query: query)
            let response = try send(request)
            let xml = try parse(response, "ListBucketResult", of: request)
            guard (try? list.append(page: xml)) != nil else { throw malformed(request) }
            list.date = list.date ?? response.date
            guard xml["IsTruncated"] == "true", let next = xml["NextContinuationToken"] else { return list }
            guard tokens.insert(next).inserted else { throw endless }
            token = next
        }
        throw endless
    }

    /// Whether the bucket answers, and these keys may look into it.
    func probe(retries: S3Retries? = nil, seconds: Double? = nil) throws {
        let query = [(name: "list-type", value: "2"), (name: "max-keys", value: "1")]
        let prefix = [(name: "prefix", value: location.prefix)]
        let request = S3Request(method: "GET", query: query + prefix, seconds: seconds)
        _ = try parse(send(request, retries: retries), "ListBucketResult", of: request)
    }

    /// Copies an object within the bucket, its digest included.
    ///
    /// - Returns: `false` where there is none.
    func copy(_ object: String, to other: String) throws -> Bool {
        guard let info = try head(object) else { return false }
        if info.count > Self.mostCopied {
            try compose([.init(object: object, count: info.count)], into: other, digest: info.sha256)
            return true
        }
        let request = S3Request(
            method: "PUT", object: other, fields: [("x-amz-copy-source", copySource(object))], accepts: [404],
            mayFailLate: true, stallSeconds: Self.copySeconds)
        return try !send(request).isMissing
    }

    /// Seconds that S3 may take to copy without a word.
    static let copySeconds = 120

    // MARK: Answers

    private func info(_ response: S3Response, _ object: String) throws -> S3ObjectInfo {
        let total = response.fields["content-range"].flatMap { $0.split(separator: "/").last.flatMap(Self.byteCount) }
        let count = response.status == 206 ? total : response.fields["content-length"].flatMap(Self.byteCount)
        guard let count else {
            throw JobsError(.io, "s3://\(location.bucket)/\(object): the answer does not say how long the object is")
        }
        return S3ObjectInfo(
            count: count, entityTag: response.entityTag, sha256: response.fields[Self.digestField])
    }

    private func changed(_ object: String) -> JobsError {
        JobsError(.io, "s3://\(location.bucket)/\(object) was replaced or removed while it was read")
    }

    func parse(_ response: S3Response, _ root: String, of request: S3Request) throws -> S3XML {
        guard let xml = try? response.xml(), xml.name == root else { throw malformed(request) }
        return xml
    }

    func malformed(_ request: S3Request) -> JobsError {
        JobsError(
            .io,
            "\(request.method) s3://\(location.bucket)/\(request.object): the answer is not what S3 answers; does the "
                + "endpoint speak S3?")
    }

    /// A list whose pages lead to one another for ever.
    var endless: JobsError {
        JobsError(.io, "GET s3://\(location.bucket)/: the list has no end; does the endpoint speak S3?")
    }
}
