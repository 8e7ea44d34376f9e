import Foundation
import Jobs
import JobStoreContract
import ServiceHarness
import Synchronization
import Testing

@testable import PostgresJobStore

/// With a server of their own, which goes away and comes back.
@Suite("PostgresJobStore, when the database is away", .serialized)
struct OutageTests {
    private static let server = Result { try PostgresServer() }

    private func schema() throws -> TemporarySchema { try TemporarySchema(Self.server.get()) }

    @Test("after a restart of the server the next call works, and changes are heard again")
    func restart() throws {
        let schema = try schema()
        let (store, other) = (try schema.store(), try schema.store())
        let job = try Job.simple()
        try store.submit(job)
        schema.server.stop()
        try schema.server.start()
        #expect(try store.job(job.id, tenant: .anonymous)?.id == job.id)
        let second = try Job.simple()
        try store.submit(second)
        try poll("changes to be heard again", seconds: 20) { other.changeCount() != nil && store.changeCount() != nil }
        let count = other.changeCount()
        try store.submit(try .simple())
        try poll("a change to be heard", seconds: 20) { other.changeCount() != count }
    }

    @Test("calls that come while the server restarts wait for it", .timeLimit(.minutes(10)))
    func duringRestart() throws {
        let schema = try schema()
        let store = try schema.store {
            $0.patienceSeconds = 60
            $0.callSeconds = 60
        }
        schema.server.stop()
        let job = try Job.simple()
        let result = Mutex<Result<Void, any Error>?>(nil)
        let done = DispatchSemaphore(value: 0)
        DispatchQueue(label: "submit").async {
            result.withLock { $0 = Result { try store.submit(job) } }
            done.signal()
        }
        try schema.server.start()
        try #require(done.wait(timeout: .now() + 120) == .success)
        #expect(throws: Never.self) { try result.withLock { try $0?.get() } }
        #expect(try store.exists(job.id))
    }

    @Test("while it is away calls fail with a reason, nobody is told an old count, and later ones work")
    func away() throws {
        let schema = try schema()
        let store = try schema.store { $0.patienceSeconds = 0 }
        #expect(store.changeCount() != nil)
        schema.server.stop()
        let error = try #require(throws: JobsError.self) { try store.counts() }
        #expect(error.code == .unreachable)
        #expect(error.message.contains("cannot be reached"))
        try poll("the feed to notice", seconds: 20) { store.changeCount() == nil }
        try schema.server.start()
        try poll("the store to work again", seconds: 20) { (try? store.counts()) != nil }
        try poll("the feed to be back", seconds: 20) { store.changeCount() != nil }
    }

    @Test("a server that stands still holds a call up for so long and no longer")
    func standstill() throws {
        let schema = try schema()
        let store = try schema.store { $0.callSeconds = 0.5 }
        _ = try store.counts()
        schema.server.pause()
        defer { schema.server.resume() }
        let error = try #require(throws: JobsError.self) { try store.counts() }
        #expect(error.code == .unreachable)
        #expect(error.message.contains("does not answer"))
    }

    @Test("where the commit's answer is lost, what was committed is not done again, and what was not is")
    func lostCommit() throws {
        let schema = try schema()
        for isForwarded in [true, false] {
            let proxy = try CuttingProxy(to: schema.server.port)
            let store = try schema.store { $0.url = schema.server.url(schema: schema.name, port: proxy.port) }
            let job = try Job.simple()
            let attempt = IdempotentAttempt(key: "\(isForwarded)", fingerprint: "ab", answer: [])
            proxy.cutAtNextCommit(forwarding: isForwarded)
            // Done twice, it would find its own key and say so.
            #expect(try store.submit(job, as: attempt) == nil, "forwarded: \(isForwarded)")
            #expect(proxy.hasCut)
            #expect(try store.exists(job.id))

            let claim = try #require(try store.claim(owner: "worker", leaseSeconds: 600))
            proxy.cutAtNextCommit(forwarding: isForwarded)
            let outcome = JobOutcome(status: .succeeded, progress: JobProgress())
            #expect(try store.publish(outcome, lease: claim.lease), "forwarded: \(isForwarded)")
            #expect(proxy.hasCut)
            #expect(try store.job(job.id, tenant: .anonymous)?.status == .succeeded)
            #expect(try store.publish(outcome, lease: claim.lease) == false)
        }
    }

    @Test("a claim whose answer is lost is the same claim when it is tried again")
    func lostClaim() throws {
        let schema = try schema()
        let proxy = try CuttingProxy(to: schema.server.port)
        let store = try schema.store { $0.url = schema.server.url(schema: schema.name, port: proxy.port) }
        let ids = JobIDGenerator()
        for _ in 0..<2 { try store.submit(try .simple(ids.next())) }
        _ = try store.counts()
        // The owner stands in the parameters, not in the statement.
        proxy.cut(at: "worker-7", forwarding: true)
        let claim = try #require(try store.claim(owner: "worker-7", leaseSeconds: 600))
        #expect(proxy.hasCut)
        #expect(try store.status(of: claim.lease) == .held)
        #expect(try store.counts()[.running] == 1)
    }

    @Test("a worker that learns only later that its end was published is told so")
    func settledLater() throws {
        let schema = try schema()
        let proxy = try CuttingProxy(to: schema.server.port)
        let store = try schema.store {
            $0.url = schema.server.url(schema: schema.name, port: proxy.port)
            $0.patienceSeconds = 0
        }
        let job = try Job.simple()
        try store.submit(job)
        let claim = try #require(try store.claim(owner: "worker", leaseSeconds: 600))
        let outcome = JobOutcome(status: .succeeded, progress: JobProgress())
        proxy.cutAtNextCommit(forwarding: true, refusingOthers: true)
        let error = #expect(throws: JobsError.self) { try store.publish(outcome, lease: claim.lease) }
        #expect(error?.code == .unsettled)
        proxy.acceptAgain()
        var isPublished: Bool?
        try poll("the store to work again", seconds: 20) {
            isPublished = try? store.publish(outcome, lease: claim.lease)
            return isPublished != nil
        }
        #expect(isPublished == true)
        #expect(try store.publish(outcome, lease: claim.lease) == false)
    }

    @Test("a server that would lose what it takes is refused", arguments: ["fsync=off"])
    func careless(_ setting: String) throws {
        let server = try PostgresServer(setting)
        let error = try #require(throws: JobsError.self) {
            try PostgresJobStore(PostgresConfiguration(url: server.url()))
        }
        #expect(error.message.contains("fsync"))
    }

    @Test("what sslmode asks for is kept: without TLS on the other side nothing is sent")
    func tls() throws {
        let server = try Self.server.get()
        var configuration = PostgresConfiguration(url: server.url(schema: nil, port: nil, "sslmode=require"))
        configuration.patienceSeconds = 0
        let error = try #require(throws: JobsError.self) { try PostgresJobStore(configuration) }
        #expect(error.code == .unreachable)
        #expect(error.message.contains("SSL"))
    }
}
