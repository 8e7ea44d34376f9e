import Dispatch
import Foundation
import Jobs
import JobStoreContract
import Logging
import SQLiteJobStore
import Synchronization
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

    /// Holds every message until it is told to let one go, or the sender stops.
    private final class HeldTransport: WebhookTransport {
        let begun = Mutex<[String]>([])
        let entered = DispatchSemaphore(value: 0)
        let leave = DispatchSemaphore(value: 0)

        func send(
            _ request: WebhookRequest, to addresses: [IPAddress], isInterrupted: @escaping @Sendable () -> Bool
        ) -> WebhookAnswer {
            begun.withLock { $0.append(request.url.host) }
            entered.signal()
            while leave.wait(timeout: .now() + 0.01) == .timedOut {
                if isInterrupted() { return .interrupted }
            }
            return .status(200, retryAfter: nil)
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
        try wait { try bench.delivery(job).attempts.count == 1 }
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
        try wait { try bench.delivery(job).attempts.count == 2 }
        bench.clock.advance(10)
        try wait { try bench.delivery(job).state == .delivered(bench.clock.now()) }
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
        for _ in 0..<3 { #expect(transport.entered.wait(timeout: .now() + 30) == .success) }
        #expect(transport.begun.withLock { $0.sorted() } == ["quick.example", "slow.example", "slow.example"])
        transport.leave.signal()
        transport.leave.signal()
        transport.leave.signal()
        for _ in 0..<2 { #expect(transport.entered.wait(timeout: .now() + 30) == .success) }
        #expect(transport.begun.withLock { $0.count } == 5)
        sender.stop()
    }

    @Test("a tenant whose hosts hang takes its part of the senders, and others are served")
    func slowTenant() throws {
        let bench = try Bench()
        let transport = HeldTransport()
        for number in 0..<8 { try bench.endedJob("slow-\(number).example", tenant: TenantID("a")) }
        try bench.endedJob("quick.example", tenant: TenantID("b"))
        let sender = bench.sender(transport)
        sender.start()
        for _ in 0..<5 { #expect(transport.entered.wait(timeout: .now() + 30) == .success) }
        let begun = transport.begun.withLock { $0 }
        #expect(begun.filter { $0.hasPrefix("slow-") }.count == 4)
        #expect(begun.contains("quick.example"))
        sender.stop()
        #expect(transport.begun.withLock { $0.count } == 5)
    }

    @Test("without keys, hosts that hang may take all senders")
    func anonymous() throws {
        let bench = try Bench()
        let transport = HeldTransport()
        for number in 0..<9 { try bench.endedJob("host-\(number).example") }
        let sender = bench.sender(transport)
        sender.start()
        for _ in 0..<8 { #expect(transport.entered.wait(timeout: .now() + 30) == .success) }
        sender.stop()
        #expect(transport.begun.withLock { $0.count } == 8)
    }

    /// A sender whose transport holds the message about a job.
    private func sending(_ bench: Bench, _ transport: HeldTransport) throws -> (JobID, DeliverySender) {
        let job = try bench.endedJob("a.example")
        let sender = bench.sender(transport)
        sender.start()
        #expect(transport.entered.wait(timeout: .now() + 30) == .success)
        return (job, sender)
    }

    @Test("what is on its way when the service stops is given back, and sent by the next")
    func stop() throws {
        let bench = try Bench()
        let transport = HeldTransport()
        let (job, first) = try sending(bench, transport)
        first.stop()
        #expect(try bench.delivery(job).attempts.isEmpty)
        #expect(try bench.delivery(job).state == .pending(due: bench.clock.now()))

        let second = bench.sender(ScriptedTransport(.status(200, retryAfter: nil)))
        second.start()
        try wait { try bench.delivery(job).state == .delivered(bench.clock.now()) }
        second.stop()
        #expect(try bench.delivery(job).attempts.map(\.number) == [1])
    }

    /// Stops a sender on a thread of its own. Signalled when it has stopped.
    private func stopping(_ sender: DeliverySender) -> DispatchSemaphore {
        let stopped = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            sender.stop(by: .distantFuture)
            stopped.signal()
        }
        return stopped
    }

    @Test("what is on its way may arrive before the deadline of a stop")
    func stopInTime() throws {
        let bench = try Bench()
        let transport = HeldTransport()
        let (job, sender) = try sending(bench, transport)
        let stopped = stopping(sender)
        // Ten times as long as the transport takes to see that it is interrupted.
        #expect(stopped.wait(timeout: .now() + 0.1) == .timedOut)
        transport.leave.signal()
        #expect(stopped.wait(timeout: .now() + 30) == .success)
        #expect(try bench.delivery(job).state == .delivered(bench.clock.now()))
    }

    @Test("who is in a hurry waits for no deadline: what is on its way is given back, and nothing more is sent")
    func hurry() throws {
        let bench = try Bench()
        let transport = HeldTransport()
        let (job, sender) = try sending(bench, transport)
        let stopped = stopping(sender)
        sender.hurry()
        #expect(stopped.wait(timeout: .now() + 30) == .success)
        #expect(try bench.delivery(job).attempts.isEmpty)
        #expect(try bench.delivery(job).state == .pending(due: bench.clock.now()))
        #expect(transport.begun.withLock { $0.count } == 1)
    }

    @Test("two senders over one store send every message once")
    func twoSenders() throws {
        let bench = try Bench()
        let transport = ScriptedTransport(.status(200, retryAfter: nil))
        let jobs = try (0..<40).map { try bench.endedJob("host-\($0 % 7).example") }
        let senders = [bench.sender(transport), bench.sender(transport)]
        for sender in senders { sender.start() }
        try wait { try jobs.allSatisfy { try bench.delivery($0).state == .delivered(bench.clock.now()) } }
        for sender in senders { sender.stop() }
        #expect(transport.sent.count == 40)
        #expect(Set(transport.sent.map { $0.request.fields[0].value }).count == 40)
    }

    /// Asks until it is so, for at most half a minute.
    private func wait(_ isSo: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try !isSo() {
            try #require(ContinuousClock.now < deadline, "it did not come to be")
            sched_yield()
        }
    }
}
