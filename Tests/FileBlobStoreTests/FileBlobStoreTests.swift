import BlobStoreContract
import Foundation
import Jobs
import Synchronization
import Testing

@testable import FileBlobStore

/// A folder that goes away with its fixture.
final class TemporaryFolder: BlobStoreFixture {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("blobs-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: url) }

    func open() throws -> any BlobStore { try store() }

    func store() throws -> FileBlobStore { try FileBlobStore(directory: url.path) }

    /// Every file below the folder, hidden ones included.
    func files() throws -> [String] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: url.path)
        return names.filter { name in
            var isFolder: ObjCBool = false
            let path = url.appendingPathComponent(name).path
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
        }.sorted()
    }
}

@Suite("FileBlobStore")
struct FileBlobStoreTests {
    @Test("keeps the contract", arguments: BlobStoreContract.checks)
    func contract(_ check: BlobStoreCheck) throws {
        try check.run(TemporaryFolder())
    }

    @Test("a start removes what a dead process left unfinished and keeps the rest")
    func sweep() throws {
        let folder = TemporaryFolder()
        let writer = try folder.store().create("jobs/1/source")
        try Data("abc".utf8).withUnsafeBytes { try writer.write($0) }
        _ = try writer.commit()
        let orphan = folder.url.appendingPathComponent("jobs/1/.part-0123abcd-results-1.ndjson")
        try Data("half".utf8).write(to: orphan)
        try folder.store().removeAbandoned()
        #expect(try folder.files() == ["jobs/1/source"])
    }

    @Test("what an encoder writes by path becomes the blob, also where it puts another file in its place")
    func encoder() throws {
        let folder = TemporaryFolder()
        let store = try folder.store()
        let writer = try store.create("jobs/1/video-1.mp4")
        let path = try writer.localPath()
        #expect(path.hasSuffix(".mp4"))
        try Data("abc".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        #expect(try writer.commit() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(try store.open("jobs/1/video-1.mp4")?.count == 3)
        #expect(try folder.files() == ["jobs/1/video-1.mp4"])
    }

    @Test("a start leaves alone what an encoder has finished, or is making, for a blob that is not finished")
    func encoderWhileOthersStart() throws {
        let folder = TemporaryFolder()
        let writer = try folder.store().create("jobs/1/video-1.mp4")
        let path = try writer.localPath()
        try Data("half".utf8).write(to: URL(fileURLWithPath: path + ".draft.mp4"))
        try folder.store().removeAbandoned()
        #expect(FileManager.default.fileExists(atPath: path + ".draft.mp4"))
        // A new file that nobody has locked takes the place, as encoders do it.
        try Data("abc".utf8).write(to: URL(fileURLWithPath: path + ".draft.mp4"))
        #expect(rename(path + ".draft.mp4", path) == 0)
        try folder.store().removeAbandoned()
        _ = try writer.commit()
        #expect(try folder.store().open("jobs/1/video-1.mp4")?.count == 3)
        #expect(try folder.files() == ["jobs/1/video-1.mp4"])
    }

    @Test("a start removes what an encoder made for a writer that died or gave up")
    func encoderOfTheDead() throws {
        let folder = TemporaryFolder()
        let writer = try folder.store().create("jobs/1/video-1.mp4")
        let path = try writer.localPath()
        try Data("abc".utf8).write(to: URL(fileURLWithPath: path))
        writer.abort()
        #expect(try folder.files() == [])
        for name in ["", ".draft.mp4"] { try Data("abc".utf8).write(to: URL(fileURLWithPath: path + name)) }
        try folder.store().removeAbandoned()
        #expect(try folder.files() == [])
    }

    @Test("a blob that is removed while an encoder makes it does not come back")
    func encoderOfRemoved() throws {
        let folder = TemporaryFolder()
        let store = try folder.store()
        let writer = try store.create("jobs/1/video-1.mp4")
        try Data("abc".utf8).write(to: URL(fileURLWithPath: try writer.localPath()))
        try store.remove("jobs/1/video-1.mp4")
        #expect(throws: JobsError.self) { try writer.commit() }
        #expect(try folder.files() == [])
    }

    @Test("files are made and swept at the same time, and none that is being written is lost")
    func sweepWhileOthersBegin() throws {
        let folder = TemporaryFolder()
        let store = try folder.store()
        let isDone = Atomic(false)
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 2) { task in
            do {
                if task == 0 {
                    defer { isDone.store(true, ordering: .releasing) }
                    for number in 0..<300 {
                        let writer = try store.create("jobs/1/blob-\(number)")
                        try Data("abc".utf8).withUnsafeBytes { try writer.write($0) }
                        _ = try writer.commit()
                    }
                } else {
                    while !isDone.load(ordering: .acquiring) { try store.removeAbandoned() }
                }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        #expect(try folder.files().count == 300)
    }

    @Test("a copy costs no space: both keys are the same file")
    func copy() throws {
        let folder = TemporaryFolder()
        let store = try folder.store()
        let appender = try #require(try store.resume("uploads/1/data"))
        try Data("abc".utf8).withUnsafeBytes { try appender.write($0) }
        try appender.commit()
        #expect(try store.copy("uploads/1/data", to: "jobs/1/source"))
        let numbers = try ["uploads/1/data", "jobs/1/source"].map { name in
            let path = folder.url.appendingPathComponent(name).path
            return try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
        }
        #expect(numbers[0] != nil && numbers[0] == numbers[1])
        #expect(try folder.files() == ["jobs/1/source", "uploads/1/data"])
    }

    @Test("a link that leads elsewhere is no blob")
    func links() throws {
        let folder = TemporaryFolder()
        let store = try folder.store()
        try FileManager.default.createSymbolicLink(
            atPath: folder.url.appendingPathComponent("link").path, withDestinationPath: "/etc/hostname")
        #expect(try store.open("link") == nil)
        #expect(try store.localPath("link") == nil)
    }

    @Test("a full disk is reported as storage_full")
    func diskFull() throws {
        let descriptor = Glibc.open("/dev/full", O_WRONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let error = #expect(throws: JobsError.self) {
            try Data("abc".utf8).withUnsafeBytes {
                try FileSystem.write($0, to: descriptor, at: 0, path: "/dev/full")
            }
        }
        #expect(error?.code == .storageFull)
    }
}
