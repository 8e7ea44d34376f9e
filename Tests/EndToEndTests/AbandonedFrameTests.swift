import Glibc
import Testing

/// Single frames whose decoder stands still, as one that has a long way to go.
@Suite("Frames that nobody waits for", .serialized)
struct AbandonedFrameTests {
    /// As many single frames are decoded at a time on two cores, and at least.
    private static let places = 2
    private static let frames = 3_000

    /// Asks for a late frame and stops its decoder on the way.
    private func stuckRequest(_ server: Server, _ job: String) throws -> EventClient {
        let before = Set(server.decoders())
        let client = try EventClient(
            server, "/v1/jobs/\(job)/frames/\(Self.frames - 1)", ["Accept: image/jpeg"])
        try poll("its decoder", seconds: 30) {
            guard let decoder = server.decoders().first(where: { !before.contains($0) }) else { return false }
            return kill(decoder, SIGSTOP) == 0
        }
        return client
    }

    @Test("a client that leaves gives its place to another; a stop answers who waits, and waits for no frame")
    func places() throws {
        let server = try Server(
            environment: ["LKTRACK_ROLES": "api", "LKTRACK_LIMITS_DECODER_STALL_SECONDS": "600"])
        let video = try Material.syntheticVideo(frames: Self.frames, size: "320x240")
        let job = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        do {
            let clients = try (0..<Self.places).map { _ in try stuckRequest(server, job) }
            #expect(server.decoders().count == Self.places)
            #expect(try server.get("/v1/jobs/\(job)/frames/0").status == 503)
            withExtendedLifetime(clients) {}
        }
        try poll("the places to be given back", seconds: 60) {
            try server.get("/v1/jobs/\(job)/frames/0").status == 200 && server.decoders().isEmpty
        }

        let client = try stuckRequest(server, job)
        #expect(server.stop() == 0)
        try client.read()
        #expect(client.status == 503)
    }
}
