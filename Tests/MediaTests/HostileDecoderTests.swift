import Foundation
import Testing

@testable import Media

/// The decoder's place is taken by a shell script that says what an attacker would, byte by byte.
@Suite("A decoder in an attacker's hands")
struct HostileDecoderTests {
    private let folder: TemporaryFolder
    private let video: MediaInput

    init() throws {
        folder = try TemporaryFolder()
        // Only its signature is looked at.
        video = .video(path: try folder.write([0, 0, 0, 24] + Array("ftypisom".utf8), to: "clip.mp4"))
    }

    /// A shell command that sends a datagram.
    static func send(_ bytes: [UInt8]) -> String {
        let octal = bytes.map { byte in "\\" + String(Int(byte) + 0o1000, radix: 8).dropFirst() }.joined()
        return "printf '\(octal)' >&3"
    }

    static func send(_ message: DecoderMessage) -> String { send(message.encoded) }

    /// Reads a message and forgets it.
    private static let receive = "dd bs=4096 count=1 <&3 >/dev/null 2>&1"

    private static let opened = send(.opened(DecoderProtocolTests.info))

    private func open(_ script: String...) throws(MediaError) -> DecoderProcess {
        let command = DecoderCommand(executable: "/bin/sh", arguments: ["-c", script.joined(separator: "; ")])
        let limits = DecodeLimits(stallSeconds: 20)
        return try DecoderProcess.open(video, request: DecodeRequest(stop: 100, limits: limits), command: command)
    }

    private func error(_ script: String...) -> MediaError? {
        mediaError {
            let command = DecoderCommand(executable: "/bin/sh", arguments: ["-c", script.joined(separator: "; ")])
            _ = try DecoderProcess.open(video, request: DecodeRequest(stop: 100), command: command).remaining()
        }
    }

    @Test("one that goes away, at once or later, has crashed")
    func goesAway() {
        #expect(error("exit 0")?.code == .decoderCrashed)
        #expect(error("kill -SEGV $$")?.message.contains("signal 11") == true)
        #expect(error(Self.receive, Self.opened, Self.receive, "kill -ABRT $$")?.message.contains("signal 6") == true)
        #expect(error(Self.opened, "exit 3")?.frame == 0)
    }

    @Test("a program that is not there is a fault of the service")
    func missingProgram() {
        let command = DecoderCommand(executable: folder.file("none"), arguments: [])
        #expect(mediaError { _ = try DecoderProcess.open(video, command: command) }?.code == .system)
    }

    @Test("noise, and messages out of turn, break the protocol")
    func noise() {
        let messages: [[UInt8]] = [
            [1], Array("hello".utf8), [UInt8](repeating: 0xFF, count: 4000), [UInt8](repeating: 7, count: 5000),
            DecoderMessage.end.encoded, DecoderMessage.frame(index: 0, slot: 0, pts: 0).encoded,
            DecoderMessage.ring(slots: 4).encoded, DecoderMessage.release(slot: 0).encoded,
        ]
        for message in messages { #expect(error(Self.send(message), "exec sleep 100")?.code == .decoderCrashed) }
    }

    @Test("a source of an impossible size, rate, length or time base is refused")
    func impossibleInfo() {
        func code(_ change: (inout SourceInfo) -> Void) -> MediaError.Code? {
            var info = DecoderProtocolTests.info
            change(&info)
            return error(Self.send(.opened(info)), "exec sleep 100")?.code
        }
        #expect(code { $0.width = 0 } == .decoderCrashed)
        #expect(code { $0.height = Int.max } == .decoderCrashed)
        #expect(code { $0.frameRate = .nan } == .decoderCrashed)
        #expect(code { $0.frameRate = 0 } == .decoderCrashed)
        #expect(code { $0.timeBase = .init(1, 0) } == .decoderCrashed)
        #expect(code { $0.timeBase = .init(-1, 5) } == .decoderCrashed)
        #expect(code { ($0.width, $0.height) = (100_000, 100_000) } == .limitExceeded)
        #expect(code { $0.frameCount = DecodeLimits().frames + 1 } == .decoderCrashed)
        #expect(code { $0.frameCount = Int.max } == .decoderCrashed)
    }

    @Test("frames in slots that it does not have, or out of order, are refused")
    func wrongFrames() {
        func code(_ frames: [(Int, Int)]) -> MediaError.Code? {
            let script = frames.map { Self.send(.frame(index: $0.0, slot: $0.1, pts: 0)) }
            return error(([Self.opened] + script + ["exec sleep 100"]).joined(separator: "; "))?.code
        }
        #expect(code([(0, 4096)]) == .decoderCrashed)
        #expect(code([(0, Int.max)]) == .decoderCrashed)
        #expect(code([(1, 0)]) == .decoderCrashed)
        #expect(code([(0, 0), (0, 1)]) == .decoderCrashed)
        #expect(code([(0, 0), (2, 1)]) == .decoderCrashed)
        // The slot is still held: its frames are kept until the end.
        #expect(code([(0, 0), (1, 0)]) == .decoderCrashed)
    }

    @Test("one that cuts the shared memory cannot make the server fault")
    func shrinksMemory() throws {
        let source = try open(
            Self.receive, Self.opened, Self.receive, "(: > /proc/self/fd/5)", "truncate -s 0 /proc/self/fd/5",
            Self.send(.frame(index: 0, slot: 0, pts: 0)), "exec sleep 100")
        let frame = try #require(try source.next())
        #expect(frame.gray.pixels.allSatisfy { $0 == 0 })
    }

    @Test("it is given four descriptors, no environment to speak of, and a process group of its own")
    func isConfined() throws {
        let report = folder.file("report")
        let script = "ls /proc/self/fd > \(report); env >> \(report); ps -o pgid= -p $$ >> \(report)"
        let code = mediaError {
            let command = DecoderCommand(executable: "/bin/sh", arguments: ["-c", "PATH=/usr/bin:/bin; \(script)"])
            _ = try DecoderProcess.open(video, command: command)
        }
        #expect(code?.code == .decoderCrashed)
        let lines = String(decoding: try readBytes(report), as: UTF8.self).split(separator: "\n").map(String.init)
        // 0 to 2, then the four, then what ls itself has opened.
        let numbers = lines.compactMap { Int($0) }
        #expect(Array(numbers.prefix(7)) == Array(0...6))
        #expect(numbers.filter { $0 < 100 }.count == 8)
        let names = Set(lines.compactMap { $0.contains("=") ? String($0.prefix { $0 != "=" }) : nil })
        let known: Set = [
            "OPENCV_IO_MAX_IMAGE_PIXELS", "OPENCV_LOG_LEVEL", "LD_LIBRARY_PATH", "SWIFT_BACKTRACE", "PATH", "PWD",
            "OLDPWD",
            "_", "SHLVL",
        ]
        #expect(names.subtracting(known).isEmpty, "\(names)")
    }
}
