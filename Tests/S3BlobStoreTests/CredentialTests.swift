import Foundation
import JobStoreContract
import Jobs
import ServiceHarness
import Testing

@testable import S3BlobStore

@Suite("Where keys come from")
struct CredentialTests {
    private let clock = ManualEnvironment()
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func chain(_ environment: [String: String], profile: String? = nil) -> CredentialChain {
        // Neither the user's file nor this machine's role.
        let none = ["HOME": folder.url.path, "AWS_EC2_METADATA_DISABLED": "true"]
        return CredentialChain(
            environment: none.merging(environment) { $1 }, profile: profile,
            connections: HTTPConnections(.init(connectSeconds: 2)), clock: clock)
    }

    private static let file = """
        # comment
        [default]
        aws_access_key_id = FILE
        aws_secret_access_key=file/secret+=
        ; another
        [ staging ]
        AWS_ACCESS_KEY_ID = STAGING
        aws_secret_access_key = staging secret
        aws_session_token = token
        [half]
        aws_access_key_id = HALF
        """

    private func writeFile() throws -> [String: String] {
        ["AWS_SHARED_CREDENTIALS_FILE": try folder.write(Self.file.utf8, to: "credentials")]
    }

    private static func role(_ key: String, expires: String = "2025-06-15T16:06:40Z") -> String {
        #"{"AccessKeyId":"\#(key)","SecretAccessKey":"s","Token":"t","Expiration":"\#(expires)","Code":"Success"}"#
    }

    @Test("the environment comes before the file, and a profile that is named before the environment")
    func order() throws {
        let file = try writeFile()
        let environment = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"]
        let both = file.merging(environment) { $1 }
        let found = try chain(both).current()
        #expect(found.accessKey == "ENV" && found.secretKey == "s" && found.sessionToken == "t")
        #expect(try chain(file).current().accessKey == "FILE")
        #expect(try chain(file).current().secretKey == "file/secret+=")
        #expect(try chain(file.merging(["AWS_PROFILE": "staging"]) { $1 }).current().secretKey == "staging secret")
        let named = try chain(both, profile: "staging").current()
        #expect(named.accessKey == "STAGING" && named.sessionToken == "token")
    }

    @Test("the file is looked for in the home folder")
    func home() throws {
        try FileManager.default.createDirectory(atPath: folder.path(".aws"), withIntermediateDirectories: true)
        _ = try folder.write(Self.file.utf8, to: ".aws/credentials")
        #expect(try chain([:]).current().accessKey == "FILE")
    }

    @Test("half a pair, an unknown profile and no keys at all are told, with where they were looked for")
    func missing() throws {
        let file = try writeFile()
        func message(_ environment: [String: String], profile: String? = nil) -> String {
            let error = #expect(throws: S3CredentialsMissing.self) {
                try chain(environment, profile: profile).current()
            }
            return error?.message ?? ""
        }
        #expect(message(["AWS_ACCESS_KEY_ID": "A"]).contains("AWS_SECRET_ACCESS_KEY is not"))
        #expect(message(file, profile: "half").contains("no aws_secret_access_key of the profile \"half\""))
        #expect(message(file, profile: "none").contains("credentials has no keys of the profile \"none\""))
        #expect(message([:]).contains("neither AWS_ACCESS_KEY_ID is set"))
    }

    @Test("a container's role is asked for with its token, and again before its keys expire")
    func container() throws {
        let service = try FaultyProxy()
        defer { service.end() }
        let expiry = RFC3339.string(clock.now().addingTimeInterval(3600))
        service.fail("GET /role?a=b ", .answer(200, body: Self.role("FIRST", expires: expiry)))
        service.fail("GET /role?a=b ", .answer(200, body: Self.role("SECOND", expires: expiry)))
        let keys = chain([
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": service.endpoint + "/role?a=b",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": try folder.write("secret\n".utf8, to: "token"),
        ])
        let first = try keys.current()
        #expect(first.accessKey == "FIRST" && first.secretKey == "s" && first.sessionToken == "t")
        clock.advance(3200)
        #expect(try keys.current().accessKey == "FIRST")
        clock.advance(200)
        #expect(try keys.current().accessKey == "SECOND")
        #expect(service.count("Authorization: secret") == 2)
    }

    @Test("a role's keys are used until they expire where they cannot be renewed; after that it may pass")
    func renewalFails() throws {
        let service = try FaultyProxy()
        defer { service.end() }
        let expiry = RFC3339.string(clock.now().addingTimeInterval(3600))
        let keys = chain(["AWS_CONTAINER_CREDENTIALS_FULL_URI": service.endpoint + "/role"])
        service.fail("GET /role ", .answer(500, body: ""))
        #expect(try #require(throws: S3CredentialsMissing.self) { try keys.current() }.isPassing == false)
        service.fail("GET /role ", .answer(200, body: Self.role("FIRST", expires: expiry)))
        #expect(try keys.current().accessKey == "FIRST")
        clock.advance(3400)
        service.fail("GET /role ", times: 2, .answer(500, body: ""))
        #expect(try keys.current().accessKey == "FIRST")
        #expect(try keys.current().accessKey == "FIRST")
        #expect(service.count("GET /role ") == 3)
        clock.advance(210)
        #expect(try #require(throws: S3CredentialsMissing.self) { try keys.current() }.isPassing)
        let later = RFC3339.string(clock.now().addingTimeInterval(3600))
        service.fail("GET /role ", .answer(200, body: Self.role("SECOND", expires: later)))
        #expect(try keys.current().accessKey == "SECOND")
    }

    @Test("keys of a role are asked of no machine but this one, unless by https")
    func trusted() throws {
        let keys = chain(["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/role"])
        let error = #expect(throws: S3CredentialsMissing.self) { try keys.current() }
        #expect(error?.message.contains("neither https nor an address of this machine") == true)
    }

    @Test("an instance's role is asked for with a token of its own (IMDSv2)")
    func instance() throws {
        let service = try FaultyProxy()
        defer { service.end() }
        service.fail("PUT /latest/api/token ", .answer(200, body: "the-token"))
        let list = "/latest/meta-data/iam/security-credentials/"
        service.fail("GET \(list) ", .answer(200, body: "my role\n"))
        service.fail("GET \(list)my%20role ", .answer(200, body: Self.role("ROLE")))
        let keys = chain([
            "AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": service.endpoint + "/",
        ])
        let found = try keys.current()
        #expect(found.accessKey == "ROLE" && found.sessionToken == "t" && found.source.contains("my role"))
        #expect(service.requests.first?.contains("X-aws-ec2-metadata-token-ttl-seconds: 300") == true)
        #expect(service.count("X-aws-ec2-metadata-token: the-token") == 2)
    }

    @Test("an instance without a role has no keys")
    func noRole() throws {
        let service = try FaultyProxy()
        defer { service.end() }
        service.fail("PUT ", .answer(200, body: "the-token"))
        service.fail("GET ", .answer(404, body: ""))
        let keys = chain([
            "AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": service.endpoint,
        ])
        #expect(throws: S3CredentialsMissing.self) { try keys.current() }
    }

    @Test("wrong keys are told at the start, with where they came from; signatures are checked by others' code")
    func wrong() throws {
        let bucket = try Bucket()
        func failure(_ change: [String: String]) throws -> JobsError? {
            #expect(throws: JobsError.self) {
                try S3BlobStore(
                    S3Location(bucket.server.url(bucket.prefix)), local: bucket.store().copies.store,
                    environment: bucket.server.environment.merging(change) { $1 }, retries: .quick)
            }
        }
        let secret = try failure(["AWS_SECRET_ACCESS_KEY": "wrong"])
        #expect(secret?.message.contains("403 SignatureDoesNotMatch") == true, "\(secret?.message ?? "")")
        #expect(secret?.message.contains("Check the keys of the environment, and the region") == true)
        let key = try failure(["AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"])
        #expect(key?.message.contains("403 InvalidAccessKeyId") == true, "\(key?.message ?? "")")
    }

    @Test("keys that were refused as expired are looked for anew, once")
    func expired() throws {
        let bucket = try Bucket()
        let proxy = try FaultyProxy(to: bucket.server.port)
        defer { proxy.end() }
        let store = try bucket.store(endpoint: proxy.endpoint)
        let error = "<Error><Code>ExpiredToken</Code><Message>gone</Message></Error>"
        proxy.fail("PUT ", .answer(400, body: error))
        try store.put("a", [1])
        proxy.fail("PUT ", times: 2, .answer(400, body: error))
        #expect(throws: JobsError.self) { try store.put("b", [1]) }
    }

    @Test("HEAD, whose answer cannot say what is wrong, is asked once more with new keys and the server's clock")
    func head() throws {
        let bucket = try Bucket()
        let proxy = try FaultyProxy(to: bucket.server.port)
        defer { proxy.end() }
        let store = try bucket.store(endpoint: proxy.endpoint)
        proxy.fail("HEAD ", .answer(403, body: "", fields: ["Date: Fri, 24 May 2013 00:00:00 GMT"]))
        #expect(try store.localPath("nothing") == nil)
        let heads = proxy.requests.filter { $0.hasPrefix("HEAD ") }
        #expect(heads.count == 2 && heads[1].contains("x-amz-date: 20130524T0000"))
        proxy.fail("HEAD ", times: 2, .answer(403, body: ""))
        #expect(throws: JobsError.self) { try store.localPath("nothing") }
        #expect(proxy.count("HEAD ") == 4)
    }

    @Test("a clock that is wrong is put right by the server's, once it minds")
    func skew() throws {
        let bucket = try Bucket()
        let proxy = try FaultyProxy(to: bucket.server.port)
        defer { proxy.end() }
        let store = try bucket.store(endpoint: proxy.endpoint)
        proxy.fail(
            "PUT ",
            .answer(
                403, body: "<Error><Code>RequestTimeTooSkewed</Code><Message>late</Message></Error>",
                fields: ["Date: Fri, 24 May 2013 00:00:00 GMT"]))
        try store.put("a", [1])
        #expect(proxy.requests.last { $0.hasPrefix("PUT ") }?.contains("x-amz-date: 20130524T0000") == true)
    }
}
