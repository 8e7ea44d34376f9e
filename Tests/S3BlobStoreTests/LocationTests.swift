import Testing

@testable import S3BlobStore

@Suite("blobs.url: s3://")
struct LocationTests {
    private func url(_ text: String, of key: String, region: String = "eu-central-1") throws -> String {
        let address = try S3Location(text).address(region: region)
        return "\(address.scheme)://\(address.host)\(address.path(of: key))"
    }

    @Test("a bucket is named by the host at Amazon's, and by the path at an endpoint, unless it is said otherwise")
    func addressing() throws {
        #expect(try url("s3://blobs", of: "a/b") == "https://blobs.s3.eu-central-1.amazonaws.com/a/b")
        #expect(try url("s3://my.blobs", of: "a") == "https://s3.eu-central-1.amazonaws.com/my.blobs/a")
        #expect(try url("s3://blobs?endpoint=http://minio:9000", of: "") == "http://minio:9000/blobs/")
        #expect(
            try url("s3://blobs?endpoint=https://S3.example.com:443&addressing=virtual", of: "ä b")
                == "https://blobs.s3.example.com/%C3%A4%20b")
        #expect(try url("s3://blobs?addressing=path", of: "a") == "https://s3.eu-central-1.amazonaws.com/blobs/a")
    }

    @Test("a prefix ends with one slash, however it is written, and may hold what a URL must encode")
    func prefix() throws {
        #expect(try S3Location("s3://blobs").prefix == "")
        #expect(try S3Location("s3://blobs/").prefix == "")
        #expect(try S3Location("s3://blobs/a/b/").prefix == "a/b/")
        #expect(try S3Location("s3://blobs/a%20b/%C3%BC+c").prefix == "a b/ü+c/")
    }

    @Test(
        "what cannot be meant is refused, with what was expected",
        arguments: [
            ("s3:", "s3://BUCKET"), ("s3:///a", "s3://BUCKET"), ("s3://b", "2 to 63"), ("s3://blobs!", "2 to 63"),
            ("s3://key:secret@blobs", "without a user"), ("s3://blobs//a", "empty segments"),
            ("s3://blobs/a/../b", "'..'"), ("s3://blobs/a%0Ab", "control"),
            ("s3://blobs?endpoint=minio:9000", "endpoint="),
            ("s3://blobs?endpoint=http://minio/a", "endpoint="), ("s3://blobs?region=eu%20central", "a region"),
            ("s3://blobs?addressing=dns", "addressing="), ("s3://blobs?cache_bytes=-1", "cache_bytes="),
            ("s3://blobs?secret=x", "not \"secret\""), ("s3://blobs?region=a&region=b", "at most once"),
        ])
    func refused(_ text: String, _ expected: String) {
        let error = #expect(throws: S3Location.Invalid.self) { try S3Location(text) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }
}
