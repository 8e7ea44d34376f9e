import Dispatch
import Foundation
import Jobs
import JobStoreContract
import Logging
import SQLiteJobStore
import ServiceHarness
import Testing
import Webhooks

@Suite("The sender of webhooks")
struct DeliverySenderTests {
    /// Jobs in a database of their own, some of which have ended.
    private final class Bench: Sendable {
        let clock = ManualEnvironment()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("webhooks-\(UUID().uuidString)")
        let store: SQLiteJobStore
        let ids: JobIDGenerator

        init() throws {
            store = try SQLiteJobStore(path: folder.appendingPathComponent("jobs.sqlite").path, environment: clock)
            ids = JobIDGenerator(environment: clock)
        }

        deinit {
            try? store.close()
            try? FileManager.default.removeItem(at: folder)
        }

        @discardableResult
        func endedJob(_ host: String, tenant: TenantID = .anonymous) throws -> JobID {
            let id = ids.next()
            let webhook = WebhookSpec(url: try WebhookURL("https://\(host)/hook"), secret: Sample.secret)
            let target = TargetSpec(id: "car", box: PixelBox(x: 1, y: 2, width: 30, height: 40))
            try store.submit(
                Job(
                    id: id, tenant: tenant, spec: JobSpec(targets: [target], webhook: webhook),
                    source: JobSource(kind: .video, blobKey: id.sourceKey, bytes: 10, sha256: "ab12"),
                    createdAt: clock.now()))
            _ = try store.requestCancel(id, tenant: tenant)
            return id
        }

        func sender(_ transport: any WebhookTransport) -> DeliverySender {
            var configuration = WebhookConfiguration()
            configuration.pollSeconds = 0.05
            return DeliverySender(
                store: store, configuration: configuration, transport: transport,
                resolver: ListedNames(["93.184.216.34"]), environment: clock, logger: Logger(label: "test"))
        }

        func delivery(_ job: JobID) throws -> Delivery {
            try #require(try store.deliveries(of: job, tenant: .anonymous).first)
        }
    }

    @Test("sends what is due again and again, with the same id, until it is taken")
    func untilTaken() throws {
        let bench = try Bench()
        let transport = ScriptedTransport(
            .status(500, retryAfter: nil), .unreachable("reset"), .status(200, retryAfter: nil))
        let sender = bench.sender(transport)
        let job = try bench.endedJob("a.example")
        sender.start()
        try poll("the first attempt", seconds: 30) { try bench.delivery(job).attempts.count == 1 }
        guard case .pending(let due) = try bench.delivery(job).state else {
            Issue.record("it is not to be repeated")
            return
        }
        // Not a moment before.
        bench.clock.advance(due.timeIntervalSince(bench.clock.now()) - 0.001)
        sender.notify()
        #expect(try bench.store.claimDelivery(leaseSeconds: 1, exceptHosts: []) == nil)
        #expect(transport.sent.count == 1)
        bench.clock.advance(0.001)
        try poll("the second attempt", seconds: 30) { try bench.delivery(job).attempts.count == 2 }
        bench.clock.advance(10)
        try poll("the delivery", seconds: 30) { try bench.delivery(job).state == .delivered(bench.clock.now()) }
        sender.stop()
        let attempts = try bench.delivery(job).attempts
        #expect(attempts.map(\.status) == [500, nil, 200])
        #expect(attempts.map(\.error) == ["the receiver answered 500", "reset", nil])
        #expect(Set(transport.sent.map { $0.request.fields[0].value }) == [try bench.delivery(job).id.description])
        #expect(Set(transport.sent.map(\.request.body)).count == 1)
        #expect(Set(transport.sent.map { $0.request.fields[2].value }).count == 3, "signed anew each time")
    }

    @Test("a host that hangs takes two senders at most, and others are served")
    func slowHost() throws {
        let bench = try Bench()
        let transport = HeldTransport()
        for _ in 0..<5 { try bench.endedJob("slow.example") }
        try bench.endedJob("quick.example")
        let sender = bench.sender(transport)
        sender.start()
        for _ in 0..<3 { #expect(transport.awaitMessage()) }
        #expect(transport.begun.sorted() == ["quick.example", "slow.example", "slow.example"])
        transport.letGo(3)
        for _ in 0..<2 { #expect(transport.awaitMessage()) }
        #expect(transport.begun.count == 5)
        try stopAtOnce(sender, transport)
    }

    @Test("a tenant whose hosts hang takes its part of the senders, and others are served")
    func slowTenant() throws {
        let bench = try Bench()
        let transport = HeldTransport()
        for number in 0..<8 { try bench.endedJob("slow-\(number).example", tenant: TenantID("a")) }
        try bench.endedJob("quick.example", tenant: TenantID("b"))
        let sender = bench.sender(transport)
        sender.start()
        for _ in 0..<5 { #expect(transport.awaitMessage()) }
        let begun = transport.begun
        #expect(begun.filter { $0.hasPrefix("slow-") }.count == 4)
        #expect(begun.contains("quick.example"))
        try stopAtOnce(sender, transport)
        #expect(transport.begun.count == 5)
    }

    @Test("without keys, hosts that hang may take all senders")
    func anonymous() throws {
        let bench = try Bench()
        let transport = HeldTransport()
        for number in 0..<9 { try bench.endedJob("host-\(number).example") }
        let sender = bench.sender(transport)
        sender.start()
        for _ in 0..<8 { #expect(transport.awaitMessage()) }
        try stopAtOnce(sender, transport)
        #expect(transport.begun.count == 8)
    }

    /// Stops a sender on a thread of its own. Signalled when it has stopped.
    private func stopping(_ sender: DeliverySender, by deadline: DispatchTime) -> DispatchSemaphore {
        let stopped = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            sender.stop(by: deadline)
            stopped.signal()
        }
        return stopped
    }

    /// Stops a sender that has messages on their way. Nobody tells those that they are interrupted: they ask.
    private func stopAtOnce(_ sender: DeliverySender, _ transport: HeldTransport) throws {
        let stopped = stopping(sender, by: .now())
        try poll("the sender to stop", seconds: 30) {
            transport.look()
            return stopped.wait(timeout: .now()) == .success
        }
    }

    /// A sender whose transport holds the message about a job.
    private func sending(_ bench: Bench, _ transport: HeldTransport) throws -> (JobID, DeliverySender) {
        let job = try bench.endedJob("a.example")
        let sender = bench.sender(transport)
        sender.start()
        #expect(transport.awaitMessage())
        return (job, sender)
    }

    @Test("what is on its way when the service stops is given back, and sent by the next")
    func stop() throws {
        let bench = try Bench()
        let transport = HeldTransport()
        let (job, first) = try sending(bench, transport)
        try stopAtOnce(first, transport)
        #expect(try bench.delivery(job).attempts.isEmpty)
        #expect(try bench.delivery(job).state == .pending(due: bench.clock.now()))

        let second = bench.sender(ScriptedTransport(.status(200, retryAfter: nil)))
        second.start()
        try poll("the delivery", seconds: 30) { try bench.delivery(job).state == .delivered(bench.clock.now()) }
        second.stop()
        #expect(try bench.delivery(job).attempts.map(\.number) == [1])
    }

    @Test("what is on its way may arrive before the deadline of a stop")
    func stopInTime() throws {
        let bench = try Bench()
        let transport = HeldTransport()
        let (job, sender) = try sending(bench, transport)
        let stopped = stopping(sender, by: .distantFuture)
        // Asked again and again while the sender begins to stop, and is stopping, the message is to go on each time.
        for _ in 0..<200 { try #require(transport.goesOn()) }
        #expect(stopped.wait(timeout: .now()) == .timedOut)
        transport.letGo()
        #expect(stopped.wait(timeout: .now() + 30) == .success)
        #expect(try bench.delivery(job).state == .delivered(bench.clock.now()))
    }

    @Test("who is in a hurry waits for no deadline: what is on its way is given back, and nothing more is sent")
    func hurry() throws {
        let bench = try Bench()
        let transport = HeldTransport()
        let (job, sender) = try sending(bench, transport)
        let stopped = stopping(sender, by: .distantFuture)
        sender.hurry()
        transport.look()
        #expect(stopped.wait(timeout: .now() + 30) == .success)
        #expect(try bench.delivery(job).attempts.isEmpty)
        #expect(try bench.delivery(job).state == .pending(due: bench.clock.now()))
        #expect(transport.begun.count == 1)
    }

    @Test("two senders over one store send every message once")
    func twoSenders() throws {
        let bench = try Bench()
        let transport = ScriptedTransport(.status(200, retryAfter: nil))
        let jobs = try (0..<40).map { try bench.endedJob("host-\($0 % 7).example") }
        let senders = [bench.sender(transport), bench.sender(transport)]
        for sender in senders { sender.start() }
        try poll("all deliveries", seconds: 30) {
            try jobs.allSatisfy { try bench.delivery($0).state == .delivered(bench.clock.now()) }
        }
        for sender in senders { sender.stop() }
        #expect(transport.sent.count == 40)
        #expect(Set(transport.sent.map { $0.request.fields[0].value }).count == 40)
    }
}
