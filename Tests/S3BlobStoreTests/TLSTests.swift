import FileBlobStore
import Foundation
import Jobs
import ServiceHarness
import Testing

@testable import S3BlobStore

@Suite("S3BlobStore over TLS")
struct TLSTests {
    private let folder: TemporaryFolder
    private let server: MotoServer
    private let certificate: String

    init() throws {
        folder = try TemporaryFolder()
        certificate = folder.path("certificate.pem")
        let made = try Executable.run(
            "/usr/bin/env",
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2", "-subj", "/CN=blobs", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                folder.path("key.pem"), "-out", certificate,
            ])
        try #require(made.status == 0, "\(made.standardError)")
        server = try MotoServer(certificate: (certificate, folder.path("key.pem")))
    }

    private func store(_ change: [String: String], retries: S3Retries = .quick) throws -> S3BlobStore {
        try S3BlobStore(
            S3Location(server.url("a%20b")), local: FileBlobStore(directory: folder.path("local")),
            environment: server.environment.merging(change) { $1 }, retries: retries)
    }

    @Test("a certificate of one's own authority is trusted where AWS_CA_BUNDLE names it")
    func trusted() throws {
        let store = try store(["AWS_CA_BUNDLE": certificate])
        let bytes = noise(20 << 20)
        try store.put("a", bytes)
        try store.copies.remove("a")
        #expect(try store.bytes("a") == bytes)
    }

    @Test("a certificate that nobody vouches for is told at once, and no key is sent")
    func unknown() throws {
        let retries = S3Retries(sleep: { _ in Issue.record("it was tried again") })
        let error = #expect(throws: JobsError.self) { try store([:], retries: retries) }
        #expect(error?.message.contains("certificate") == true, "\(error?.message ?? "")")
    }
}
