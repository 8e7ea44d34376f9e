import Jobs
import Testing

/// What a suite needs of an implementation: a place that can be opened more than once, as by several processes.
public protocol BlobStoreFixture: Sendable {
    func open() throws -> any BlobStore
}

/// One thing that every ``BlobStore`` must do.
public struct BlobStoreCheck: Sendable, CustomTestStringConvertible {
    public let name: String
    public let run: @Sendable (any BlobStoreFixture) throws -> Void

    public var testDescription: String { name }

    init(_ name: String, _ run: @escaping @Sendable (any BlobStoreFixture) throws -> Void) {
        self.name = name
        self.run = run
    }
}

/// The contract of ``BlobStore``: each check gets a new fixture.
public enum BlobStoreContract {
    public static let checks: [BlobStoreCheck] =
        writeChecks + visibilityChecks + removalChecks + resumeChecks + scratchChecks
}

extension BlobWriter {
    func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

    func overwrite(_ bytes: [UInt8], at offset: Int64) throws {
        try bytes.withUnsafeBytes { try overwrite($0, at: offset) }
    }
}

extension BlobReader {
    func bytes(at offset: Int64 = 0, count: Int = 1 << 20) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            used = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
    }
}

extension BlobStore {
    func put(_ key: String, _ text: String) throws {
        let writer = try create(key)
        try writer.write(Array(text.utf8))
        _ = try writer.commit()
    }

    /// A blob's content as text.
    func text(_ key: String) throws -> String? { try open(key).map { String(decoding: try $0.bytes(), as: UTF8.self) } }

    func partialText(_ key: String) throws -> String? {
        try openPartial(key).map { String(decoding: try $0.bytes(), as: UTF8.self) }
    }
}
