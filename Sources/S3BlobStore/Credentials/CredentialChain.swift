import Foundation
import Jobs
import Synchronization

/// Looks for keys where the tools of Amazon's do, in their order: the environment, the shared credentials file, the
/// container's endpoint, the instance's metadata ("Standardized credential providers", AWS SDKs and Tools Reference
/// Guide). A profile that is named comes before the environment. The first place that has any is kept to; keys that
/// expire are fetched again five minutes before, and used on until they have expired where that fails.
final class CredentialChain: S3CredentialSource {
    /// Seconds before their end at which keys are taken for expired.
    private static let marginSeconds = 300.0
    /// Seconds until it is tried again to renew keys that are still good.
    private static let retrySeconds = 10.0

    private struct State {
        var keys: S3Credentials?
        /// Before then they are not renewed.
        var retryAt = Date.distantPast
        /// Whether there were keys at any time: then there being none is no fault of the configuration.
        var hadKeys = false
    }

    private let environment: [String: String]
    private let profile: String?
    private let metadata: MetadataService
    private let clock: any Jobs.Environment
    private let state = Mutex(State())

    /// - Parameters:
    ///   - environment: the variables of the process.
    ///   - profile: as `blobs.url` names it.
    init(
        environment: [String: String], profile: String?, connections: HTTPConnections,
        clock: any Jobs.Environment = SystemEnvironment()
    ) {
        self.environment = environment
        self.profile = profile
        self.clock = clock
        metadata = MetadataService(environment: environment, connections: connections)
    }

    func current() throws -> S3Credentials {
        // Held meanwhile: all who need keys wait for the same answer.
        try state.withLock { state in
            let now = clock.now()
            let left = state.keys.map { $0.expiresAt?.timeIntervalSince(now) ?? .infinity } ?? 0
            if let keys = state.keys, left > Self.marginSeconds || left > 0 && now < state.retryAt { return keys }
            do {
                let found = try find()
                state = State(keys: found, hadKeys: true)
                return found
            } catch {
                state.retryAt = now.addingTimeInterval(Self.retrySeconds)
                if let keys = state.keys, left > 0 { return keys }
                guard var missing = error as? S3CredentialsMissing else { throw error }
                missing.isPassing = state.hadKeys
                throw missing
            }
        }
    }

    func forget() { state.withLock { $0.keys = nil } }

    private func find() throws -> S3Credentials {
        if profile == nil, let found = try fromEnvironment() { return found }
        if let found = try fromFile() { return found }
        if let profile {
            throw S3CredentialsMissing(message: "\(path) has no keys of the profile \"\(profile)\"")
        }
        if let found = try metadata.container() ?? metadata.instance() { return found }
        throw S3CredentialsMissing(
            message: "there are no keys: neither AWS_ACCESS_KEY_ID is set, nor is there a profile "
                + "\"\(profileName)\" in \(path), nor does a container or an instance have a role")
    }

    private func fromEnvironment() throws -> S3Credentials? {
        guard let key = variable("AWS_ACCESS_KEY_ID") else { return nil }
        guard let secret = variable("AWS_SECRET_ACCESS_KEY") else {
            throw S3CredentialsMissing(message: "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")
        }
        return S3Credentials(
            accessKey: key, secretKey: secret, sessionToken: variable("AWS_SESSION_TOKEN"), source: "the environment")
    }

    private func fromFile() throws -> S3Credentials? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let section = CredentialsFile.section(profileName, of: String(decoding: data, as: UTF8.self))
        guard let key = section["aws_access_key_id"] else { return nil }
        guard let secret = section["aws_secret_access_key"] else {
            throw S3CredentialsMissing(
                message: "\(path) has aws_access_key_id, but no aws_secret_access_key of the profile \"\(profileName)\""
            )
        }
        return S3Credentials(
            accessKey: key, secretKey: secret, sessionToken: section["aws_session_token"],
            source: "\(path), profile \"\(profileName)\"")
    }

    private var profileName: String { profile ?? variable("AWS_PROFILE") ?? "default" }

    private var path: String {
        variable("AWS_SHARED_CREDENTIALS_FILE") ?? (variable("HOME") ?? NSHomeDirectory()) + "/.aws/credentials"
    }

    private func variable(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// The shared credentials file: sections in brackets, `name = value` lines, comments after `#` and `;`.
enum CredentialsFile {
    static func section(_ name: String, of text: String) -> [String: String] {
        var values: [String: String] = [:]
        var isInside = false
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
                let title = line[line.index(after: line.startIndex)..<end].trimmingCharacters(in: .whitespaces)
                isInside = title == name
            } else if isInside, let equals = line.firstIndex(of: "=") {
                let key = line[..<equals].trimmingCharacters(in: .whitespaces).lowercased()
                values[key] = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
            }
        }
        return values.filter { !$0.value.isEmpty }
    }
}
