import BlobStoreContract
import FileBlobStore
import Foundation
import JobStoreContract
import Jobs
import ServiceHarness
import Synchronization
import Testing

@testable import S3BlobStore

/// A prefix of its own in the bucket of one server for all tests. Each store that is opened has a local folder of its own,
/// as on machines of their own.
final class Bucket: BlobStoreFixture {
    private static let server = Result { try MotoServer() }

    let server: MotoServer
    let prefix = "t-\(UUID().uuidString)"
    let folder: TemporaryFolder
    /// The clock of this process; the server has its own.
    let clock = ManualEnvironment(unixSeconds: Date().timeIntervalSince1970)
    private let stores = Mutex(0)

    init() throws {
        server = try Self.server.get()
        folder = try TemporaryFolder()
    }

    func open() throws -> any BlobStore { try store() }

    /// - Parameter endpoint: in place of the server's own.
    func store(
        endpoint: String? = nil, _ more: String = "", retries: S3Retries = .quick,
        windows: S3WindowBudget = S3WindowBudget()
    ) throws -> S3BlobStore {
        let number = stores.withLock { stores in
            stores += 1
            return stores
        }
        return try S3BlobStore(
            S3Location(server.url(prefix, endpoint: endpoint, more)),
            local: FileBlobStore(directory: folder.path("node-\(number)")), environment: server.environment,
            retries: retries, clock: clock, windows: windows)
    }

    /// Names of objects and of open uploads, after the prefix.
    func contents() throws -> (objects: [String], uploads: [String]) {
        let found = try server.contents(prefix + "/")
        return (
            found.objects.map { String($0.dropFirst(prefix.count + 1)) },
            found.uploads.map { String($0.dropFirst(prefix.count + 1)) }
        )
    }
}

extension S3Retries {
    /// As many attempts as usual, and no waits.
    static let quick = S3Retries(sleep: { _ in })
}

extension BlobStore {
    /// Puts a blob; returns its digest.
    @discardableResult
    func put(_ key: String, _ bytes: [UInt8]) throws -> String {
        let writer = try create(key)
        try bytes.withUnsafeBytes { try writer.write($0) }
        return try writer.commit()
    }

    func bytes(_ key: String) throws -> [UInt8]? { try open(key)?.all() }
}

extension BlobReader {
    /// Everything, in pieces of an odd size.
    func all(pieceSize: Int = 100_003) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let piece = try [UInt8](unsafeUninitializedCapacity: pieceSize) { buffer, count in
                count = try read(into: UnsafeMutableRawBufferPointer(buffer), at: Int64(bytes.count))
            }
            if piece.isEmpty { return bytes }
            bytes += piece
        }
    }
}

extension BlobWriter {
    func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }
}

extension BlobAppender {
    func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }
}

/// Bytes that look like nothing, the same each time.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
        for index in 0..<count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            buffer[index] = UInt8(truncatingIfNeeded: state >> 32)
        }
        used = count
    }
}
