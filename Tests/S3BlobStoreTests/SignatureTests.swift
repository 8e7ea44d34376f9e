import Foundation
import Jobs
import Testing

@testable import S3BlobStore

/// Known answers of Amazon's ("Examples: Signature Calculations in AWS Signature Version 4", Amazon S3 API Reference).
@Suite("Signature Version 4")
struct SignatureTests {
    private static let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    private static let time = "20130524T000000Z"

    private func signature(_ request: SignatureV4.Request) -> String? {
        let keys = S3Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", source: "")
        let value = SignatureV4(credentials: keys, region: "us-east-1").authorization(request, time: Self.time)
        return value.components(separatedBy: "Signature=").last
    }

    private func fields(
        _ more: (name: String, value: String)..., hash: String = nothing
    ) -> [(name: String, value: String)] {
        more + [
            ("host", "examplebucket.s3.amazonaws.com"), ("x-amz-content-sha256", hash), ("x-amz-date", Self.time),
        ]
    }

    @Test("a range of an object")
    func getObject() {
        let request = SignatureV4.Request(
            method: "GET", path: "/test.txt", fields: fields(("range", "bytes=0-9")), payloadHash: Self.nothing)
        #expect(signature(request) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test("an object with a name that must be encoded")
    func putObject() {
        let hash = Hexadecimal.sha256(Array("Welcome to Amazon S3.".utf8))
        let request = SignatureV4.Request(
            method: "PUT", path: "/" + PercentEncoding.path("test$file.text"),
            fields: fields(
                ("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"), hash: hash),
            payloadHash: hash)
        #expect(signature(request) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test("a question without a value")
    func getLifecycle() {
        let request = SignatureV4.Request(
            method: "GET", path: "/", query: [("lifecycle", "")], fields: fields(), payloadHash: Self.nothing)
        #expect(signature(request) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    }

    @Test("a question whose parts come in another order")
    func list() {
        let request = SignatureV4.Request(
            method: "GET", path: "/", query: [("prefix", "J"), ("max-keys", "2")], fields: fields(),
            payloadHash: Self.nothing)
        #expect(signature(request) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test("everything but letters, digits and -._~ is encoded, in capitals; slashes of paths stay")
    func encoding() {
        #expect(PercentEncoding.path("a/ü +&=~?.txt") == "a/%C3%BC%20%2B%26%3D~%3F.txt")
        #expect(PercentEncoding.query("a/b c") == "a%2Fb%20c")
        #expect(SignatureV4.canonicalQuery([("b", "1"), ("a-b", "2"), ("a", "3"), ("a", "")]) == "a=&a=3&a-b=2&b=1")
    }

    @Test("a time is told in UTC")
    func time() {
        #expect(SignatureV4.timestamp(Date(timeIntervalSince1970: 1_369_353_600)) == Self.time)
        #expect(SignatureV4.timestamp(Date(timeIntervalSince1970: 1_709_164_799.9)) == "20240228T235959Z")
    }
}
