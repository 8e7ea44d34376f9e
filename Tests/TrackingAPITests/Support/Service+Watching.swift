import Dispatch
import HTTPServer
import Jobs
import Testing

@testable import TrackingAPI

extension Service {
    /// Opens a body that comes when it comes.
    func open(
        _ target: String, _ fields: [(name: String, value: String)] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> LiveClient {
        switch api.begin(Self.request("GET", target, HTTPFields(fields))) {
        case .work(let work): return try LiveClient(work())
        case .later(let start): return try LiveClient(#require(HeldRequest(start).wait()))
        default: throw LiveClient.NoLiveBody(status: 0)
        }
    }

    /// Checks that a body which is being sent keeps the only place, for as long as its client is there.
    func expectOnePlace(_ target: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        do {
            let first = try open(target)
            let refused = send("GET", target)
            expectProblem(refused, 503, sourceLocation: sourceLocation)
            #expect(refused.fields["Retry-After"] == "1", sourceLocation: sourceLocation)
            _ = first
        }
        #expect(send("GET", target).status == 200, sourceLocation: sourceLocation)
    }

    /// Sends a request that may be held.
    func hold(
        _ target: String, _ fields: [(name: String, value: String)] = [], method: String = "GET",
        hasClientLeft: Bool = false
    ) throws -> HeldRequest {
        let asked = Self.request(method, target, HTTPFields(fields))
        let request = HTTPRequest(
            method: method, target: target, path: asked.path, query: asked.query, fields: asked.fields,
            remoteAddress: asked.remoteAddress, id: asked.id, hasClientLeft: { hasClientLeft })
        guard case .later(let start) = api.begin(request) else {
            throw LiveClient.NoLiveBody(status: 0)
        }
        let held = HeldRequest(start)
        settle()
        return held
    }

    /// Waits until everything that was asked of the store by those who watch is done.
    func settle() {
        // A request that is to be held makes a look at its job, and a look at all may ask for a look at some.
        for _ in 0..<2 {
            #expect(api.waits.unfinished.wait(timeout: .now() + 30) == .success)
            watch.queue.sync {}
            #expect(watch.openings.pool.unfinished.wait(timeout: .now() + 30) == .success)
        }
    }

    /// The next job of the queue, claimed by a worker that tells of what it does, as those of this process do, or not.
    func claim(tells: Bool = true) throws -> TestWorker {
        let worker = TestWorker(self, try #require(try store.claim(owner: "worker", leaseSeconds: 30)), tells: tells)
        if tells { watch.jobChanged(worker.id) }
        return worker
    }
}

/// Runs a job by hand.
final class TestWorker {
    private let service: Service
    private let claimed: ClaimedJob
    private let tells: Bool
    private var writer: (any BlobWriter)?
    private(set) var written: [UInt8] = []

    init(_ service: Service, _ claimed: ClaimedJob, tells: Bool) {
        self.service = service
        self.claimed = claimed
        self.tells = tells
    }

    var id: JobID { claimed.job.id }
    private var key: String { id.resultKey(attempt: claimed.job.attempt) }

    /// Appends frames to the result and makes them readable.
    func track(_ frames: Range<Int>) throws { try append(frames.flatMap { Lines.frame($0) }) }

    func append(_ bytes: [UInt8]) throws {
        let writer = try self.writer ?? service.blobs.create(key)
        self.writer = writer
        try bytes.withUnsafeBytes(writer.write)
        try writer.flush()
        written += bytes
        if tells { service.watch.resultGrew(id) }
    }

    func report(_ done: Int, of total: Int? = nil) throws {
        let progress = JobProgress(framesDone: done, framesTotal: total, framesPerSecond: 25)
        _ = try service.store.heartbeat(claimed.lease, progress: progress, leaseSeconds: 30)
        if tells { service.watch.jobChanged(id) }
    }

    func end(_ status: JobStatus = .succeeded, done: Int = 0) throws {
        var outcome = JobOutcome(status: status, progress: JobProgress(framesDone: done, framesTotal: done))
        if let writer {
            _ = try writer.commit()
            outcome.resultKey = key
        }
        #expect(try service.store.publish(outcome, lease: claimed.lease))
        if tells { service.watch.jobChanged(id) }
    }

    /// Gives the job back, as a stop does.
    func release() throws {
        writer?.abort()
        #expect(try service.store.release(claimed.lease))
        if tells { service.watch.jobChanged(id) }
    }

    /// Dies: its lease is taken from it.
    func die() throws {
        writer?.abort()
        #expect(try service.store.expireLeases(ofOwner: "worker") == [id])
        if tells { service.watch.jobChanged(id) }
    }
}
