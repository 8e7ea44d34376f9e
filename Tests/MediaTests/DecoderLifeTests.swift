import CLinux
import Foundation
import LucasKanade
import Media
import ServiceHarness
import Synchronization
import Testing

@Suite("A decoder that crashes, hangs or is stopped")
struct DecoderLifeTests {
    private let folder: TemporaryFolder
    private let video: MediaInput
    /// More than any ring has slots, so that the decoder is still at work when it is hit.
    private static let frameCount = 120

    init() throws {
        folder = try TemporaryFolder()
        let path = folder.file("clip.mp4")
        try TestVideo.write(to: path, frames: Self.frameCount)
        video = .video(path: path)
    }

    /// Reads until an error, without keeping frames.
    private func drain(_ source: DecoderProcess) -> (count: Int, error: MediaError?) {
        var count = 0
        let error = mediaError { while try source.next() != nil { count += 1 } }
        return (count, error)
    }

    /// Sanitizers take faults' signals for theirs.
    private static let signals =
        clinux_is_sanitized() ? [SIGKILL] : [SIGKILL, SIGSEGV, SIGBUS, SIGILL, SIGABRT, SIGFPE]

    @Test("killed in the middle, it has crashed, at the frame that was awaited", arguments: signals)
    func killed(signal: Int32) throws {
        let source = try TestDecoder.open(video)
        _ = try source.next()
        kill(source.processIdentifier, signal)
        let (count, error) = drain(source)
        #expect(error?.code == .decoderCrashed)
        #expect(error?.frame == count + 1)
        #expect(error?.message.contains("signal \(signal) ") == true)
        #expect(mediaError { _ = try source.next() }?.code == .decoderCrashed)
    }

    @Test("stopped in the middle, it has hung, and is gone afterwards")
    func stopped() throws {
        let source = try TestDecoder.open(video, DecodeRequest(limits: DecodeLimits(stallSeconds: 3)))
        _ = try source.next()
        let pid = source.processIdentifier
        kill(pid, SIGSTOP)
        let (count, error) = drain(source)
        #expect(error?.code == .decoderTimeout)
        #expect(error?.frame == count + 1)
        #expect(kill(pid, 0) == -1)
    }

    @Test("canceled from another thread, a call that waits ends, and so do later ones")
    func canceled() throws {
        let source = try TestDecoder.open(video, DecodeRequest(limits: DecodeLimits(stallSeconds: 60)))
        _ = try source.next()
        // It will never answer, so the call below waits until it is canceled.
        kill(source.processIdentifier, SIGSTOP)
        Thread.detachNewThread { source.cancel() }
        #expect(drain(source).error?.code == .canceled)
        #expect(mediaError { _ = try source.next() }?.code == .canceled)
    }

    @Test("canceled while it is opened, the call ends")
    func canceledWhileOpening() throws {
        let cancellation = MediaCancellation()
        let hung = DecoderCommand(executable: "/bin/sleep", arguments: ["1000"])
        Thread.detachNewThread { cancellation.cancel() }
        let error = mediaError {
            _ = try DecoderProcess.open(
                video, request: DecodeRequest(limits: DecodeLimits(stallSeconds: 60)), command: hung,
                cancellation: cancellation)
        }
        #expect(error?.code == .canceled)
        #expect(cancellation.isCanceled)
        #expect(mediaError { _ = try TestDecoder.open(video, cancellation: cancellation) }?.code == .canceled)
    }

    @Test("frames may be let go from other threads, and outlive their source")
    func framesOutliveSource() throws {
        let frames = Mutex<[Frame]>([])
        let source = try TestDecoder.open(video)
        while let frame = try source.next() { frames.withLock { $0.append(frame) } }
        DispatchQueue.concurrentPerform(iterations: Self.frameCount) { _ in
            _ = frames.withLock { $0.popLast() }
        }
        #expect(frames.withLock { $0.isEmpty })
    }

    @Test("200 sources, finished, dropped, canceled or failed, leave no descriptor and no process behind")
    func leavesNothing() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let path = folder.file("clip.mp4")
            try TestVideo.write(to: path, frames: 40, width: 32, height: 32)
            let broken = try folder.write([0, 0, 0, 24] + Array("ftypisom".utf8), to: "broken.mp4")
            _ = try TestDecoder.open(.video(path: path)).remaining()
            let before = openDescriptors()
            for round in 0..<200 {
                switch round % 4 {
                case 0: #expect(try TestDecoder.open(.video(path: path)).remaining().count == 40)
                case 1: _ = try TestDecoder.open(.video(path: path)).next()
                case 2:
                    let source = try TestDecoder.open(.video(path: path))
                    source.cancel()
                    #expect(mediaError { _ = try source.next() }?.code == .canceled)
                default: #expect(mediaError { _ = try TestDecoder.open(.video(path: broken)) } != nil)
                }
            }
            #expect(openDescriptors() == before)
            #expect(childCount() == 0)
        }
    }

    @Test("it does not outlive a server that is killed, even when it is stopped itself")
    func diesWithParent() async throws {
        // The two processes know the file by the test's number.
        setenv("LKTRACK_TEST_FOLDER", folder.path, 1)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            let folder = String(cString: try #require(getenv("LKTRACK_TEST_FOLDER")))
            let source = try TestDecoder.open(.video(path: folder + "/clip.mp4"))
            try Data("\(source.processIdentifier)".utf8).write(to: URL(fileURLWithPath: folder + "/pid"))
            kill(source.processIdentifier, SIGSTOP)
            kill(getpid(), SIGKILL)
        }
        let text = String(decoding: try readBytes(folder.file("pid")), as: UTF8.self)
        let pid = try #require(Int32(text))
        try poll("the decoder to die with its server", seconds: 10) { !Processes.isAlive(pid) }
    }
}

private func openDescriptors() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? -1
}

private func childCount() -> Int {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return tasks.reduce(0) { count, task in
        let list = (try? String(contentsOfFile: "/proc/self/task/\(task)/children", encoding: .utf8)) ?? ""
        return count + list.split(separator: " ").count
    }
}
