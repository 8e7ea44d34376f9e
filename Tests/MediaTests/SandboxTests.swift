import CLinux
import Foundation
import ServiceHarness
import Testing

@testable import Media

/// What a decoder process cannot do, tried by a real one that was restricted by the same code; see `decoder-probe`.
@Suite("A decoder that was taken over")
struct SandboxTests {
    private let folder: TemporaryFolder
    private let video: MediaInput
    private let archive: MediaInput

    init() throws {
        folder = try TemporaryFolder()
        video = .video(path: try folder.write([0, 0, 0, 24] + Array("ftypisom".utf8), to: "clip.mp4"))
        archive = .archive(path: try folder.write(TestArchive.tar([.init(name: "a.png")]), to: "clip.tar"))
    }

    /// What the probe says, or how it ended.
    private func attempt(
        _ name: String, on input: MediaInput? = nil, limits: DecodeLimits = DecodeLimits(stallSeconds: 30),
        reserve: DecoderReserve? = nil
    ) throws -> MediaError {
        let program = URL(fileURLWithPath: TestDecoder.command.executable).deletingLastPathComponent()
        let command = DecoderCommand(
            executable: program.appendingPathComponent("decoder-probe").path, arguments: [name], reserve: reserve)
        if let reserve {
            reserve.fill(for: command, limits: limits)
            try poll("a decoder to be kept ready") { reserve.processIdentifier != nil }
        }
        defer { reserve?.close() }
        return try #require(
            mediaError { _ = try DecoderProcess.open(input ?? video, request: .init(limits: limits), command: command) }
        )
    }

    private let refused = "errno \(EPERM)"

    @Test(
        "opens, makes, removes and lists no file, and stat(3) tells it of none",
        arguments: [
            "open-for-reading", "open-for-writing", "make-folder", "remove-file", "list-folder", "look-at-file",
        ])
    func files(name: String) throws {
        #expect(try attempt(name).message == refused)
        #expect(!FileManager.default.fileExists(atPath: "/tmp/lktrack-probe"))
    }

    @Test("has no network, and no socket but its own", arguments: ["open-socket", "open-local-socket"])
    func sockets(name: String) throws { #expect(try attempt(name).message == refused) }

    @Test(
        "starts no process, harms no other, and gains nothing",
        arguments: ["fork", "kill-server", "gain-privileges", "executable-memory", "raise-limit"])
    func processes(name: String) throws { #expect(try attempt(name).message == refused) }

    @Test("is killed for what only an intruder tries", arguments: ["execute", "trace", "namespaces", "connect-socket"])
    func intrusions(name: String) throws {
        let error = try attempt(name)
        #expect(error.code == .decoderCrashed)
        #expect(error.message.contains("signal \(SIGSYS)"))
    }

    @Test(
        "can do no more where it was started before there was a job for it",
        arguments: ["open-for-reading", "open-socket", "fork", "raise-limit", "write-input", "write-spool"])
    func reserve(name: String) throws {
        #expect(try attempt(name, reserve: DecoderReserve()).message == refused)
    }

    @Test("that was started before there was a job for it unpacks to what the job brought")
    func spoolOfReserve() throws {
        #expect(try attempt("write-spool", on: archive, reserve: DecoderReserve()).message == "done")
    }

    @Test("writes to nothing but what an archive unpacks to")
    func writing() throws {
        #expect(try attempt("write-input").message == refused)
        #expect(try attempt("write-spool").message == refused)
        #expect(try attempt("write-input", on: archive).message == refused)
        #expect(try attempt("write-spool", on: archive).message == "done")
        for name in ["fill-frames", "fill-frames-as-standard-error", "fill-frames-as-spool", "copy-descriptor"] {
            #expect(try attempt(name).message == refused)
            #expect(try attempt(name, on: archive).message == refused)
        }
        // The limit of bytes holds in the kernel too, where the decoder's own count was got round.
        let error = try attempt("write-spool", on: archive, limits: DecodeLimits(archiveBytes: 0))
        #expect(error.message.contains("signal \(SIGXFSZ)"))
    }

    @Test("is held by the kernel to what is free on the disk, where that is less than an archive may unpack to")
    func freeSpace() throws {
        let half = DecodeLimits(archiveBytes: .max, diskFloorBytes: try freeBytes() / 2)
        let allowed = try #require(Int64(try attempt("file-size", on: archive, limits: half).message))
        // Others use the disk, too.
        #expect(abs(allowed - half.diskFloorBytes) < half.diskFloorBytes / 4)
        let none = DecodeLimits(archiveBytes: .max, diskFloorBytes: .max)
        #expect(try attempt("file-size", on: archive, limits: none).message == "\(2 << 20)")
    }

    /// Of the disk that archives are unpacked to here.
    private func freeBytes() throws -> Int64 {
        var status = statvfs()
        try #require(statvfs(folder.file("clip.tar"), &status) == 0)
        return Int64(status.f_bavail) * Int64(status.f_frsize)
    }

    @Test("gets the memory that is allowed, and no more", .disabled(if: clinux_is_sanitized(), "sanitizers need more"))
    func memory() throws {
        let text = try attempt("use-memory", limits: DecodeLimits(memoryBytes: 1 << 30)).message
        let megabytes = try #require(Int(text))
        #expect((64...1024).contains(megabytes))
    }

    @Test("is ended when its processor time is used up, and when its time by the clock is")
    func time() throws {
        let computed = try attempt("use-processor", limits: DecodeLimits(stallSeconds: 60, seconds: 0.01))
        #expect(computed.code == .decoderTimeout)
        let slept = try attempt("stall", limits: DecodeLimits(stallSeconds: 60, seconds: 0.2))
        #expect(slept.code == .decoderTimeout)
        #expect(slept.message.contains("0.2 s"))
    }

    @Test("opens few files, may have threads, and has no environment to speak of")
    func rest() throws {
        let files = try #require(Int(try attempt("open-many", on: .folder(path: folder.path)).message))
        #expect((1..<64).contains(files))
        // Only where files are opened one by one.
        #expect(try attempt("open-many").message == "0")
        #expect(try attempt("threads").message == "done")
        let names = Set(try attempt("environment").message.split(separator: " ").map(String.init))
        let known: Set = ["OPENCV_IO_MAX_IMAGE_PIXELS", "OPENCV_LOG_LEVEL", "LD_LIBRARY_PATH", "SWIFT_BACKTRACE"]
        #expect(names.subtracting(known).isEmpty)
    }

    @Test("by the kernel's own account, the real decoder is filtered, unprivileged for good, and limited")
    func account() throws {
        let path = folder.file("long.mp4")
        try TestVideo.write(to: path, frames: 120)
        let limits = DecodeLimits(memoryBytes: 1 << 30, seconds: 100)
        let source = try TestDecoder.open(.video(path: path), DecodeRequest(limits: limits))
        defer { source.close() }
        let process = "/proc/\(source.processIdentifier)"
        let status = try String(contentsOfFile: process + "/status", encoding: .utf8)
        #expect(status.contains("Seccomp:\t2\n"))
        #expect(status.contains("NoNewPrivs:\t1\n"))
        let table = try String(contentsOfFile: process + "/limits", encoding: .utf8)
        func limit(_ name: String) -> [String] {
            let line = table.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
            return line.dropFirst(name.count).split(separator: " ").prefix(2).map(String.init)
        }
        if !clinux_is_sanitized() { #expect(limit("Max address space") == ["1073741824", "1073741824"]) }
        #expect(limit("Max cpu time") == ["400", "401"])
        #expect(limit("Max file size") == ["0", "0"])
        #expect(limit("Max core file size") == ["0", "0"])
        #expect(limit("Max open files") == ["64", "64"])
    }

    @Test(
        "this system refuses no restriction; one that it refused would be told, and tolerated only where that is said")
    func check() throws {
        #expect(try TestDecoder.command.refusedRestrictions() == [])
        // A decoder that cannot be restricted: a script answers in its place, and then a server does not work with it.
        let refusing = DecoderCommand(
            executable: "/bin/sh",
            arguments: ["-c", HostileDecoderTests.send(.checked(refused: [.systemCalls, .memory]))])
        #expect(try refusing.refusedRestrictions() == [.systemCalls, .memory])
        #expect(DecoderRestrictions([.systemCalls, .memory]).names == ["system call filter", "memory limit"])
        let broken = DecoderCommand(executable: "/bin/false", arguments: [])
        #expect(mediaError { _ = try broken.refusedRestrictions() }?.code == .system)
    }
}
