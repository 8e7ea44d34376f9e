import Foundation
import ServiceHarness
import Testing

@testable import Media

@Suite("A decoder that is kept ready")
struct DecoderReserveTests {
    private let folder: TemporaryFolder
    private let video: MediaInput
    private let reserve = DecoderReserve()
    private var command = TestDecoder.command

    init() throws {
        folder = try TemporaryFolder()
        let path = folder.file("clip.mp4")
        try TestVideo.write(to: path, frames: 40)
        video = .video(path: path)
        command.reserve = reserve
    }

    /// The process that waits, once there is one.
    private func spare() throws -> Int32 {
        reserve.fill(for: command, limits: DecodeLimits())
        var process: Int32?
        try poll("a decoder to be kept ready") {
            process = reserve.processIdentifier
            return process != nil
        }
        return try #require(process)
    }

    private func open(_ request: DecodeRequest = DecodeRequest()) throws(MediaError) -> DecoderProcess {
        try DecoderProcess.open(video, request: request, command: command)
    }

    @Test("takes the next source, gives the frames that any decoder gives, and is not used again")
    func isUsedOnce() throws {
        let first = try spare()
        let source = try open()
        #expect(source.processIdentifier == first)
        let frames = try source.remaining()
        let others = try TestDecoder.open(video).remaining()
        #expect(frames.map(\.gray.pixels) == others.map(\.gray.pixels))
        #expect(frames.map(\.pts) == others.map(\.pts))
        #expect(kill(first, 0) == -1)
        let second = try spare()
        #expect(second != first)
        #expect(try open().processIdentifier == second)
        reserve.close()
    }

    @Test("is restricted when it has its source, as any other")
    func isRestricted() throws {
        let process = try spare()
        let source = try open()
        defer { source.close() }
        #expect(source.processIdentifier == process)
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        #expect(status.contains("Seccomp:\t2\n"))
        #expect(status.contains("NoNewPrivs:\t1\n"))
        reserve.close()
    }

    @Test("holds no file of its server's but its socket, before it has a source")
    func holdsNothing() throws {
        let process = try spare()
        defer { reserve.close() }
        func files() throws -> [Int] {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").compactMap { Int($0) }.sorted()
        }
        // Its program's libraries are opened and closed while it loads: what it was given would be in every list.
        try poll("no file to be open but its own") { try files() == Array(0...6) }
        let names = try (0...6).map {
            try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\($0)")
        }
        #expect(names[3].hasPrefix("socket:"))
        #expect(names.count { $0 == "/dev/null" } == 6)
    }

    @Test("that was killed while it waited is replaced, and nobody notices")
    func killedWhileWaiting() throws {
        let process = try spare()
        kill(process, SIGKILL)
        try poll("the decoder to die") { !Processes.isAlive(process) }
        let source = try open()
        #expect(source.processIdentifier != process)
        #expect(try source.remaining().count == 40)
        reserve.close()
    }

    @Test("is left alone by a source of other limits, which OpenCV reads when it is loaded")
    func otherLimits() throws {
        let process = try spare()
        let source = try open(DecodeRequest(limits: DecodeLimits(pixels: 1_000_000)))
        #expect(source.processIdentifier != process)
        reserve.close()
        #expect(kill(process, 0) == -1)
    }

    @Test("is gone once its reserve is closed, which keeps none from then on")
    func closed() throws {
        let process = try spare()
        reserve.close()
        #expect(kill(process, 0) == -1)
        reserve.fill(for: command, limits: DecodeLimits())
        #expect(try open().remaining().count == 40)
        #expect(reserve.processIdentifier == nil)
    }

    @Test("does not outlive a server that is killed")
    func diesWithParent() async throws {
        setenv("LKTRACK_RESERVE_FOLDER", folder.path, 1)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            let folder = String(cString: try #require(getenv("LKTRACK_RESERVE_FOLDER")))
            let reserve = DecoderReserve()
            reserve.fill(for: TestDecoder.command, limits: DecodeLimits())
            try poll("a decoder to be kept ready") { reserve.processIdentifier != nil }
            let process = try #require(reserve.processIdentifier)
            try Data("\(process)".utf8).write(to: URL(fileURLWithPath: folder + "/pid"))
            kill(getpid(), SIGKILL)
        }
        let text = String(decoding: try readBytes(folder.file("pid")), as: UTF8.self)
        let process = try #require(Int32(text))
        try poll("the decoder to die with its server") { !Processes.isAlive(process) }
    }
}
