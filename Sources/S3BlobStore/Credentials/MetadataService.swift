import Foundation
import Jobs

/// Keys of a role, from the endpoint beside a container (ECS, EKS Pod Identity) or from an instance's metadata (IMDSv2).
struct MetadataService: Sendable {
    /// Seconds: these answer at once, or are not there.
    private static let seconds = 2.0
    /// Of the token of IMDSv2.
    private static let tokenSeconds = "300"
    /// Hosts that keys may be asked of without TLS: "Container credential provider", AWS SDKs and Tools Reference Guide.
    private static let plainHosts: Set = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "localhost", "[::1]"]

    let environment: [String: String]
    let connections: HTTPConnections

    /// - Returns: `nil` where this is no such container.
    func container() throws -> S3Credentials? {
        let url: String
        if let path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            url = "http://169.254.170.2" + path
        } else if let full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            guard Self.isTrusted(full) else {
                throw S3CredentialsMissing(
                    message: "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of this machine")
            }
            url = full
        } else {
            return nil
        }
        var fields: [(name: String, value: String)] = []
        if let token = try token() { fields.append(("Authorization", token)) }
        return try credentials(ask("GET", url, fields), source: "the container's role")
    }

    /// - Returns: `nil` where this is no such instance, or it has no role.
    func instance() throws -> S3Credentials? {
        guard variable("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true" else { return nil }
        var base = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? "http://169.254.169.254"
        if base.hasSuffix("/") { base.removeLast() }
        let reply: HTTPReply
        do {
            reply = try ask(
                "PUT", base + "/latest/api/token", [("X-aws-ec2-metadata-token-ttl-seconds", Self.tokenSeconds)])
        } catch is HTTPFailure {
            return nil
        }
        guard reply.status == 200 else { return nil }
        let token = [(name: "X-aws-ec2-metadata-token", value: String(decoding: reply.body, as: UTF8.self))]
        let list = base + "/latest/meta-data/iam/security-credentials/"
        let roles = try ask("GET", list, token)
        if roles.status == 404 { return nil }
        let role = String(decoding: roles.body, as: UTF8.self).split(whereSeparator: \.isNewline).first.map(String.init)
        guard roles.status == 200, let role else { throw Self.wrong(roles, "the instance's metadata") }
        let keys = try ask("GET", list + PercentEncoding.path(role), token)
        return try credentials(keys, source: "the instance's role \(role)")
    }

    private func credentials(_ reply: HTTPReply, source: String) throws -> S3Credentials {
        guard reply.status == 200, let json = try? JSONValue(parsing: reply.body),
            let key = json["AccessKeyId"]?.stringValue, let secret = json["SecretAccessKey"]?.stringValue
        else { throw Self.wrong(reply, source) }
        return S3Credentials(
            accessKey: key, secretKey: secret, sessionToken: json["Token"]?.stringValue,
            expiresAt: json["Expiration"]?.stringValue.flatMap { RFC3339.date($0) }, source: source)
    }

    private static func wrong(_ reply: HTTPReply, _ source: String) -> S3CredentialsMissing {
        S3CredentialsMissing(message: "\(source) gives no keys: the answer is \(reply.status)")
    }

    /// What the container's endpoint is to be shown; EKS renews it in its file.
    private func token() throws -> String? {
        guard let path = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") else {
            return variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw S3CredentialsMissing(
                message: "cannot read \(path), which AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names")
        }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func ask(
        _ method: String, _ url: String, _ fields: [(name: String, value: String)]
    ) throws -> HTTPReply {
        try connections.exchange(
            HTTPMessage(method: method, url: url, fields: fields, isLocal: true, seconds: Self.seconds))
    }

    private static func isTrusted(_ text: String) -> Bool {
        guard let url = URLComponents(string: text), let host = url.host else { return false }
        if url.scheme == "https" { return true }
        return url.scheme == "http" && (plainHosts.contains(host) || host.hasPrefix("127."))
    }

    private func variable(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}
