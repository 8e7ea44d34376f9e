import Dispatch
import HTTPServer
import Jobs
import Synchronization
import Testing

@testable import TrackingAPI

/// Slices and other results that are made while they are sent: on threads of their own, not many at a time.
@Suite("Slices that are being sent", .timeLimit(.minutes(10)))
struct ResultSliceTests {
    private static let lines = (0..<200).map { Lines.frame($0) }

    @Test("while slices are being made, every other request is answered")
    func others() async throws {
        try await Wire.run(try Service()) { wire in
            let path = try wire.service.finishedResult(lines: Self.lines)
            let hold = wire.service.blobs.holdReads()
            let replies = Mutex<[[UInt8]]>([])
            let group = DispatchGroup()
            let slices = 12
            for number in 0..<slices {
                DispatchQueue.global().async(group: group) {
                    let format = number % 2 == 0 ? "csv" : "cvat"
                    let reply = try? wire.curl("\(path)?format=\(format)&from=1000000", "--compressed")
                    replies.withLock { $0.append(reply?.body ?? []) }
                }
            }
            // As many as are made at a time are at it, and stay so.
            #expect(hold.awaitRead() && hold.awaitRead())
            for other in ["/healthz", "/v1/jobs", String(path.dropLast("/results".count))] {
                #expect(try wire.curl(other, "-m", "20").status == 200)
            }
            #expect(replies.withLock { $0.isEmpty })
            hold.release()
            #expect(group.wait(timeout: .now() + 90) == .success)
            // A header line, or a document without boxes.
            let bodies = replies.withLock { $0 }.map { String(decoding: $0, as: UTF8.self) }
            #expect(bodies.count == slices)
            #expect(bodies.allSatisfy { $0.hasPrefix("frame,pts") || $0.hasSuffix("</annotations>\n") })
        }
    }

    @Test("slices come whole over the wire, one after the other on a connection")
    func wire() async throws {
        try await Wire.run(try Service()) { wire in
            let path = try wire.service.finishedResult(lines: Self.lines)
            let expected = Self.lines[50..<180].flatMap { $0 }
            let reply = try wire.curl(path + "?format=ndjson&from=50&to=180")
            #expect(reply.body == expected)
            #expect(!reply.head.contains("Connection: close"))
            #expect(try wire.curl(path + "?format=ndjson&from=50&to=180", "--compressed").body == expected)
        }
    }

    @Test("only so many are sent at a time; a client that leaves makes room")
    func bounded() throws {
        let service = try Service { $0.conversions = 1 }
        let path = try service.finishedResult(lines: Self.lines) + "?format=csv&from=10"
        try service.expectOnePlace(path)
    }

    @Test("a tenant does not take every place, nor every thread")
    func shares() throws {
        let service = try Service(keys: .required) { ($0.bucketBodies, $0.bucketThreads) = (4, 2) }
        let (owner, stranger) = (TenantID("owner"), TenantID("stranger"))
        let keys = [try service.key(owner, id: "k1"), try service.key(stranger, id: "k2")]
        let query = "?format=csv&from=10"
        let paths = [
            try service.finishedResult(tenant: owner, lines: Self.lines) + query,
            try service.finishedResult(tenant: stranger, lines: Self.lines) + query,
        ]
        let hold = service.blobs.holdReads()
        let clients = [try service.open(paths[0], [keys[0]]), try service.open(paths[0], [keys[0]])]
        expectProblem(service.send("GET", paths[0], [keys[0]]), 503)
        for client in clients { client.take() }
        #expect(hold.awaitRead())
        // The owner's other piece waits, and the stranger's does not.
        let other = try service.open(paths[1], [keys[1]])
        other.take()
        #expect(hold.awaitRead())
        #expect(hold.reads == 2)
        hold.release()
        for client in clients + [other] { #expect(client.takeAll()) }
    }

    @Test("the work on a slice ends when its client leaves")
    func left() throws {
        let service = try Service()
        // Many pieces of input, and nothing to send.
        let path = try service.finishedResult(lines: (0..<2000).map { Lines.frame($0) }) + "?format=csv&target=car"
        let hold = service.blobs.holdReads()
        do {
            let client = try service.open(path)
            client.take()
            #expect(hold.awaitRead())
            _ = client
        }
        hold.release()
        #expect(hold.awaitClose())
        #expect(hold.reads == 1)
    }

    @Test("a form that is being made for a client that has left is not finished")
    func exportLeft() async throws {
        try await Wire.run(try Service()) { wire in
            let path = try wire.service.finishedResult(lines: Self.lines)
            let hold = wire.service.blobs.holdReads()
            let group = DispatchGroup()
            DispatchQueue.global().async(group: group) { _ = try? wire.curl(path + "?format=cvat", "-m", "3") }
            #expect(hold.awaitRead())
            #expect(group.wait(timeout: .now() + 90) == .success)
            hold.release()
            _ = try wire.summary()
            #expect(wire.service.files.allSatisfy { !$0.contains("cvat") }, "\(wire.service.files)")
            #expect(try wire.curl(path + "?format=cvat").status == 200)
        }
    }
}
