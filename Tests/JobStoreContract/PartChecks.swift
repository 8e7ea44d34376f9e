import Foundation
import Jobs
import Synchronization
import Testing

extension JobStoreContract {
    static let partChecks = offeredPartChecks + PartBench.End.allCases.map(goneWithTheLead)

    private static let offeredPartChecks: [JobStoreCheck] = [
        JobStoreCheck("an offered part is taken once, with its job and its targets") { fixture in
            let bench = try PartBench(fixture)
            let claim = try bench.claimPart()
            #expect(claim.job == bench.led.job)
            #expect(claim.part == bench.parts[0])
            #expect(claim.lease.part == 1 && claim.lease.job == bench.led.job.id)
            #expect(claim.lease.token != bench.led.lease.token)
            #expect(try bench.claimPart().part == bench.parts[1])
            #expect(try bench.store.claimPart(owner: "third", leaseSeconds: 30) == nil)
            let states = try bench.offered().map(\.state)
            #expect(states == [.taken, .taken])
        },
        JobStoreCheck("eight workers that claim at once take each part once") { fixture in
            let bench = try Bench(fixture)
            try bench.submit()
            let lease = try bench.claim().lease
            let parts = (1...40).map { JobPart(number: $0, targets: $0..<$0 + 1) }
            #expect(try bench.store.offer(parts, lease: lease))
            let taken = Mutex<[Int]>([])
            onThreads(8) { _ in
                do {
                    let store = try fixture.open(bench.clock)
                    while let claim = try store.claimPart(owner: "helper", leaseSeconds: 30) {
                        taken.withLock { $0.append(claim.part.number) }
                    }
                } catch {
                    Issue.record(error)
                }
            }
            #expect(taken.withLock { $0.sorted() } == Array(1...40))
        },
        JobStoreCheck("a part's heartbeat keeps it and tells its leader how far it is") { fixture in
            let bench = try PartBench(fixture)
            let lease = try bench.claimPart(leaseSeconds: 30).lease
            bench.clock.advance(20)
            #expect(try bench.store.heartbeat(lease, progress: JobProgress(framesDone: 7), leaseSeconds: 30) == .held)
            bench.clock.advance(20)
            #expect(try bench.offered()[0] == OfferedPart(part: bench.parts[0], state: .taken, framesDone: 7))
            bench.clock.advance(11)
            #expect(try bench.offered()[0].state == .open)
        },
        JobStoreCheck("another takes a part whose worker is lost, and the lost one writes nothing") { fixture in
            let bench = try PartBench(fixture)
            let zombie = try bench.claimPart(leaseSeconds: 30).lease
            bench.clock.advance(31)
            let successor = try bench.claimPart()
            #expect(successor.part == bench.parts[0])
            #expect(try bench.store.status(of: zombie) == .lost)
            #expect(try bench.store.heartbeat(zombie, progress: JobProgress(framesDone: 9), leaseSeconds: 30) == .lost)
            #expect(try bench.store.publish(bench.done("zombie"), lease: zombie) == false)
            #expect(try bench.store.release(zombie) == false)
            #expect(try bench.offered()[0] == OfferedPart(part: bench.parts[0], state: .taken, framesDone: 0))
            #expect(try bench.store.publish(bench.done("right"), lease: successor.lease))
            #expect(try bench.offered()[0].state == .done(resultKey: "right"))
            #expect(try bench.store.publish(bench.done("twice"), lease: successor.lease) == false)
        },
        JobStoreCheck("a part that was given back is open at once, and is no attempt") { fixture in
            let bench = try PartBench(fixture)
            for _ in 0..<5 {
                let claim = try bench.claimPart()
                #expect(claim.part == bench.parts[0])
                #expect(try bench.store.release(claim.lease))
            }
        },
        JobStoreCheck("a part that takes its worker down three times is left to its leader") { fixture in
            let bench = try PartBench(fixture)
            for _ in 0..<3 {
                #expect(try bench.claimPart(leaseSeconds: 30).part == bench.parts[0])
                bench.clock.advance(31)
                try bench.keepLead()
            }
            #expect(try bench.claimPart().part == bench.parts[1])
            #expect(try bench.store.takeBack(atMost: 9, lease: bench.led.lease) == [bench.parts[0]])
        },
        JobStoreCheck("a part that its worker could not do is left to its leader") { fixture in
            let bench = try PartBench(fixture)
            let lease = try bench.claimPart().lease
            #expect(try bench.store.publish(JobOutcome(status: .failed, progress: JobProgress()), lease: lease))
            #expect(try bench.claimPart().part == bench.parts[1])
            #expect(try bench.offered()[0].state == .open)
            #expect(try bench.current(bench.led.job).status == .running)
        },
        JobStoreCheck("a leader takes back as much as it asks for of what is open") { fixture in
            let bench = try PartBench(fixture, parts: 4)
            let taken = try bench.claimPart()
            #expect(try bench.store.takeBack(atMost: 2, lease: bench.led.lease) == Array(bench.parts[1...2]))
            #expect(try bench.claimPart().part == bench.parts[3])
            #expect(try bench.store.takeBack(atMost: 9, lease: bench.led.lease) == [])
            #expect(try bench.offered().map(\.part) == [taken.part, bench.parts[3]])
        },
        JobStoreCheck("whoever works on a part of a canceled job is told so, and nobody else begins") { fixture in
            let bench = try PartBench(fixture)
            let lease = try bench.claimPart().lease
            _ = try bench.store.requestCancel(bench.led.job.id, tenant: bench.led.job.tenant)
            #expect(try bench.store.status(of: lease) == .cancelRequested)
            #expect(try bench.store.heartbeat(lease, progress: JobProgress(), leaseSeconds: 30) == .cancelRequested)
            #expect(try bench.store.claimPart(owner: "other", leaseSeconds: 30) == nil)
            // What there is may be handed in.
            #expect(try bench.store.publish(bench.done("some"), lease: lease))
        },
        JobStoreCheck("parts that a dead process had taken are open at once") { fixture in
            let bench = try PartBench(fixture)
            _ = try bench.claimPart("dead")
            #expect(try bench.store.expireLeases(ofOwner: "dead").isEmpty)
            #expect(try bench.claimPart().part == bench.parts[0])
        },
        JobStoreCheck("a part's lease is good for nothing else of its job") { fixture in
            let bench = try PartBench(fixture)
            let lease = try bench.claimPart().lease
            let before = try bench.current(bench.led.job)
            #expect(try bench.store.describeSource(before.source, lease: lease) == false)
            #expect(try bench.store.offer([JobPart(number: 9, targets: 0..<1)], lease: lease) == false)
            #expect(try bench.store.takeBack(atMost: 9, lease: lease).isEmpty)
            #expect(try bench.store.publish(bench.done("part"), lease: lease))
            #expect(try bench.current(before) == before)
        },
    ]

    private static func goneWithTheLead(_ end: PartBench.End) -> JobStoreCheck {
        JobStoreCheck("parts are gone where the lease of their leader is \(end)") { fixture in
            let bench = try PartBench(fixture)
            let lease = try bench.claimPart(leaseSeconds: 1000).lease
            try bench.endLead(end)
            #expect(try bench.store.status(of: lease) == .lost)
            #expect(try bench.store.publish(bench.done("late"), lease: lease) == false)
            #expect(try bench.offered().isEmpty)
            #expect(try bench.store.claimPart(owner: "other", leaseSeconds: 30) == nil)
            #expect(try bench.store.takeBack(atMost: 9, lease: bench.led.lease).isEmpty)
            #expect(try bench.store.offer(bench.parts, lease: bench.led.lease) == false)
        }
    }
}

/// A job that is led, and the parts of it that were offered.
private struct PartBench {
    let bench: Bench
    let led: ClaimedJob
    let parts: [JobPart]

    var store: any JobStore { bench.store }
    var clock: ManualEnvironment { bench.clock }

    init(_ fixture: any JobStoreFixture, parts count: Int = 2) throws {
        bench = try Bench(fixture)
        try bench.submit()
        led = try bench.claim("leader", leaseSeconds: 100)
        parts = (1...count).map { JobPart(number: $0, targets: $0 * 10..<$0 * 10 + 10) }
        #expect(try bench.store.offer(parts, lease: led.lease))
    }

    func claimPart(_ owner: String = "helper", leaseSeconds: Double = 30) throws -> ClaimedPart {
        try #require(try store.claimPart(owner: owner, leaseSeconds: leaseSeconds))
    }

    func offered() throws -> [OfferedPart] { try store.offeredParts(lease: led.lease) }

    func current(_ job: Job) throws -> Job { try bench.current(job) }

    func keepLead() throws {
        #expect(try store.heartbeat(led.lease, progress: JobProgress(), leaseSeconds: 100) == .held)
    }

    func done(_ key: String) -> JobOutcome {
        JobOutcome(status: .succeeded, progress: JobProgress(framesDone: 3), resultKey: key)
    }

    /// How a leader's lease can end.
    enum End: CaseIterable {
        case published, released, expired, dead, deleted
    }

    func endLead(_ end: End) throws {
        switch end {
        case .published: #expect(try store.publish(done("all"), lease: led.lease))
        case .released: #expect(try store.release(led.lease))
        case .expired:
            clock.advance(101)
            #expect(try store.expireLeases() == [led.job.id])
        case .dead: #expect(try store.expireLeases(ofOwner: "leader") == [led.job.id])
        case .deleted: #expect(try store.delete(led.job.id, tenant: led.job.tenant) != nil)
        }
    }
}
