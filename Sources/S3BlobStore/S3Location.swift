import Foundation

/// Where blobs are, as `blobs.url` says it: `s3://BUCKET/PREFIX?endpoint=…&region=…`.
///
/// | parameter | meaning | without it |
/// |---|---|---|
/// | `endpoint` | `http://` or `https://`, host and port of a server that speaks S3 | Amazon's of the region |
/// | `region` | the region that requests are signed for | `AWS_REGION`, `AWS_DEFAULT_REGION`, `us-east-1` |
/// | `addressing` | `path` (`HOST/BUCKET/KEY`) or `virtual` (`BUCKET.HOST/KEY`) | `path` with an endpoint or a dotted bucket |
/// | `profile` | whose keys in the shared credentials file | `AWS_PROFILE`, `default` |
/// | `cache_bytes` | how much of the disk copies of blobs may take | 8 GiB |
///
/// Keys and passwords have no place in it: URLs are written into logs.
public struct S3Location: Hashable, Sendable {
    /// How a bucket is named in a request.
    public enum Addressing: String, Hashable, Sendable { case path, virtual }

    /// What is wrong with a text, for the person who wrote it.
    public struct Invalid: Error, Hashable, Sendable, CustomStringConvertible {
        public let description: String
    }

    public let bucket: String
    /// Before every key: empty, or with a `/` at its end.
    public let prefix: String
    /// `nil`: Amazon's.
    let endpoint: Endpoint?
    let region: String?
    public let addressing: Addressing
    let profile: String?
    /// Bytes that copies of blobs on the local disk may take.
    let cacheBytes: Int64

    struct Endpoint: Hashable, Sendable {
        var scheme: String
        var host: String
        var port: Int?
    }

    /// - Throws: ``Invalid``.
    public init(_ text: String) throws(Invalid) {
        guard let url = URLComponents(string: text), url.scheme == "s3", let bucket = url.host, !bucket.isEmpty
        else {
            throw Invalid(description: "s3://BUCKET or s3://BUCKET/PREFIX?endpoint=…&region=…")
        }
        guard url.user == nil, url.password == nil, url.port == nil, url.fragment == nil else {
            throw Invalid(description: "s3://BUCKET/PREFIX without a user, a port or a fragment")
        }
        guard bucket.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._\-]{1,62}/) != nil else {
            throw Invalid(description: "a bucket's name of 2 to 63 of A-Z, a-z, 0-9, '.', '_' and '-'")
        }
        self.bucket = bucket
        prefix = try Self.prefix(url.path)
        var values: [String: String] = [:]
        for item in url.queryItems ?? [] {
            guard Self.parameters.contains(item.name), values[item.name] == nil, let value = item.value, !value.isEmpty
            else {
                throw Invalid(
                    description: "each of \(Self.parameters.joined(separator: ", ")) at most once and with a value, "
                        + "not \"\(item.name)\"")
            }
            values[item.name] = value
        }
        endpoint = try values["endpoint"].map(Self.endpoint)
        if let region = values["region"], region.wholeMatch(of: /[A-Za-z0-9\-]{1,64}/) == nil {
            throw Invalid(description: "a region such as eu-central-1")
        }
        region = values["region"]
        profile = values["profile"]
        let natural = endpoint != nil || bucket.contains(".") ? Addressing.path : .virtual
        guard let addressing = values["addressing"].map(Addressing.init(rawValue:)) ?? natural else {
            throw Invalid(description: "addressing=path or addressing=virtual")
        }
        self.addressing = addressing
        guard let cacheBytes = values["cache_bytes"].map({ Int64($0) }) ?? Self.defaultCacheBytes, cacheBytes >= 0
        else { throw Invalid(description: "cache_bytes=NUMBER") }
        self.cacheBytes = cacheBytes
    }

    /// Whether both have the same objects, whatever else they say.
    public func isSamePlace(as other: S3Location) -> Bool {
        bucket == other.bucket && prefix == other.prefix && endpoint == other.endpoint
    }

    private static let parameters = ["endpoint", "region", "addressing", "profile", "cache_bytes"]
    private static let defaultCacheBytes: Int64 = 8 << 30
    /// A key of the store, its prefix included, has at most 1024 bytes.
    private static let longestPrefix = 200

    private static func prefix(_ path: String) throws(Invalid) -> String {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let trimmed = segments.last == "" ? segments.dropLast() : segments
        guard
            trimmed.allSatisfy({ $0 != "" && $0 != "." && $0 != ".." }), path.utf8.count <= longestPrefix,
            !path.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else {
            throw Invalid(
                description: "a prefix of at most \(longestPrefix) bytes without empty segments, '.', '..' and control "
                    + "characters")
        }
        return trimmed.map { $0 + "/" }.joined()
    }

    private static func endpoint(_ text: String) throws(Invalid) -> Endpoint {
        guard let url = URLComponents(string: text), let scheme = url.scheme, ["http", "https"].contains(scheme),
            let host = url.host, !host.isEmpty, url.path.isEmpty || url.path == "/", url.user == nil,
            url.query == nil, url.fragment == nil
        else { throw Invalid(description: "endpoint=https://HOST or endpoint=http://HOST:PORT") }
        return Endpoint(scheme: scheme, host: host.lowercased(), port: url.port)
    }

    /// Where requests go, once the region is known.
    func address(region: String) -> S3Address {
        let endpoint =
            endpoint ?? Endpoint(scheme: "https", host: "s3.\(region).amazonaws.com", port: nil)
        let host = addressing == .virtual ? "\(bucket).\(endpoint.host)" : endpoint.host
        let isDefault = endpoint.port == nil || endpoint.port == (endpoint.scheme == "https" ? 443 : 80)
        return S3Address(
            scheme: endpoint.scheme, host: isDefault ? host : "\(host):\(endpoint.port ?? 0)",
            path: addressing == .path ? "/\(bucket)" : "")
    }
}

/// Where the requests for a bucket go.
struct S3Address: Hashable, Sendable {
    var scheme: String
    /// As in the field `Host`: with a port where it is another than the scheme's.
    var host: String
    /// Before `/KEY`.
    var path: String

    /// The path of an object, or of the bucket for an empty key, encoded as it is signed (RFC 3986 §2.3 unreserved, and
    /// `/`).
    func path(of key: String) -> String { path + "/" + PercentEncoding.path(key) }
}

/// Percent-encoding as Signature Version 4 wants it: everything but `A-Z a-z 0-9 - . _ ~`, in capitals.
enum PercentEncoding {
    static func path(_ text: String) -> String { encode(text, keeping: UInt8(ascii: "/")) }
    static func query(_ text: String) -> String { encode(text, keeping: nil) }

    private static func encode(_ text: String, keeping extra: UInt8?) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            case extra: bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digit(byte >> 4), digit(byte & 15)]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
