import CLinux
import Testing

@testable import Media

@Suite("The protocol between server and decoder")
struct DecoderProtocolTests {
    static let info = SourceInfo(
        width: 96, height: 64, frameCount: 5, frameRate: 25, timeBase: .init(1, 25), codec: "h264", isColor: true)

    static let messages: [DecoderMessage] = [
        .request(DecoderTask(kind: .video(.matroska), request: DecodeRequest(start: 3, stop: 9, step: 2, color: true))),
        .request(DecoderTask(kind: .archive(.tarGzip), request: DecodeRequest())),
        .request(DecoderTask(kind: .folder, request: DecodeRequest())),
        .request(DecoderTask(kind: .image, request: DecodeRequest(color: true))),
        .request(DecoderTask(kind: .folder, request: DecodeRequest(), tolerated: [.systemCalls, .memory])),
        .check, .checked(refused: []), .checked(refused: .all),
        .ring(slots: 4), .release(slot: 3), .opened(info), .frame(index: 7, slot: 2, pts: -40), .progress, .end,
        .failed(MediaError(.sizeChanged, "frame 3 (öl.jpg) is smaller", frame: 3)),
        .failed(MediaError(.noFrames, "")),
    ]

    @Test("a message is read as it was written", arguments: messages)
    func roundTrip(message: DecoderMessage) {
        #expect(message.encoded.count <= DecoderMessage.capacity)
        #expect(DecoderMessage(decoding: message.encoded) == message)
    }

    @Test("a message that is cut, lengthened or made of noise is refused without a trap")
    func refusesNoise() {
        var generator = SystemRandomNumberGenerator()
        for message in Self.messages {
            let bytes = message.encoded
            for count in 0..<bytes.count { #expect(DecoderMessage(decoding: bytes.prefix(count)) == nil) }
            #expect(DecoderMessage(decoding: bytes + [0]) == nil)
            for _ in 0..<200 {
                var noisy = bytes
                let position = Int.random(in: 0..<noisy.count, using: &generator)
                noisy[position] = UInt8.random(in: 0...255, using: &generator)
                _ = DecoderMessage(decoding: noisy)
            }
        }
        #expect(DecoderMessage(decoding: [UInt8](repeating: 0xFF, count: 4096)) == nil)
    }

    @Test("a long text is cut to fit into a message")
    func cutsText() throws {
        let message = DecoderMessage.failed(MediaError(.undecodable, String(repeating: "x", count: 100_000)))
        #expect(message.encoded.count <= DecoderMessage.capacity)
        #expect(DecoderMessage(decoding: message.encoded) != nil)
        // Not within a character.
        let umlauts = DecoderMessage.failed(MediaError(.undecodable, "x" + String(repeating: "ö", count: 1000)))
        let cut = try #require(DecoderMessage(decoding: umlauts.encoded))
        #expect(cut == .failed(MediaError(.undecodable, "x" + String(repeating: "ö", count: 749))))
    }

    @Test("a text comes without control characters, and is refused with them, or where it is no UTF-8")
    func controlCharacters() throws {
        let message = DecoderMessage.failed(MediaError(.undecodable, "a\u{0}b\nc\u{85}d"))
        #expect(DecoderMessage(decoding: message.encoded) == .failed(MediaError(.undecodable, "a b c d")))
        let plain = DecoderMessage.failed(MediaError(.undecodable, "a")).encoded
        #expect(DecoderMessage(decoding: plain) != nil)
        for byte: UInt8 in [0, 0x0A, 0x7F, 0xC3] { #expect(DecoderMessage(decoding: plain.dropLast() + [byte]) == nil) }
    }

    @Test("a message has one form: other numbers for what is absent, or for yes and no, are refused")
    func oneForm() {
        var uncounted = Self.info
        uncounted.frameCount = nil
        let opened = DecoderMessage.opened(uncounted).encoded
        for (index, value) in [(24, UInt8(0xFE)), (56, 2)] {
            var changed = opened
            changed[index] = value
            #expect(DecoderMessage(decoding: changed) == nil)
        }
    }

    @Test("marks that would make a text slow to compare are left out when it is written, and refused when it is read")
    func marksInARow() throws {
        let text = "ö" + String(repeating: "\u{301}", count: 31)
        func failed(_ message: String) -> DecoderMessage { .failed(MediaError(.undecodable, message)) }
        #expect(DecoderMessage(decoding: failed("frame \(text)").encoded) == failed("frame "))

        let placeholder = String(repeating: "x", count: text.utf8.count)
        var bytes = failed(placeholder).encoded
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: placeholder.utf8) })
        bytes.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
        #expect(DecoderMessage(decoding: bytes) == nil)
    }

    @Test("what a peer sent before it went away is still received, even where it read nothing itself")
    func receivesLastMessages() throws {
        var ends: [Int32] = [-1, -1]
        try #require(clinux_socket_pair(&ends) == 0)
        let ours = DecoderChannel(Descriptor(ends[0]))
        let theirs = DecoderChannel(Descriptor(ends[1]))
        ours.send(.release(slot: 1))
        theirs.send(.frame(index: 0, slot: 0, pts: 0))
        theirs.send(.end)
        theirs.close()
        #expect(ours.receive(seconds: 5) == .message(.frame(index: 0, slot: 0, pts: 0)))
        #expect(ours.receive(seconds: 5) == .message(.end))
        #expect(ours.receive(seconds: 5) == .closed)
    }

    @Test("waiting ends after the time that was given, whatever it is", arguments: [0, 0.01, -1, -.infinity, .nan])
    func timesOut(seconds: Double) throws {
        var ends: [Int32] = [-1, -1]
        try #require(clinux_socket_pair(&ends) == 0)
        let ours = DecoderChannel(Descriptor(ends[0]))
        let theirs = Descriptor(ends[1])
        #expect(ours.receive(seconds: seconds) == .timeout)
        withExtendedLifetime(theirs) {}
    }

    @Test("the layout of a frame refuses impossible sizes")
    func layout() throws {
        for (width, height) in [(0, 1), (1, 0), (-1, 5), (1 << 21, 1), (Int.max, Int.max)] {
            #expect(FrameLayout(width: width, height: height, color: true) == nil)
        }
        let layout = try #require(FrameLayout(width: 97, height: 3, color: true))
        #expect(layout.grayBytesPerRow == 128)
        #expect(layout.colorBytesPerRow == 320)
        #expect(layout.colorOffset == 448)
        #expect(layout.slotBytes == 4096)
        #expect(layout.slotCount >= 4)
    }
}
