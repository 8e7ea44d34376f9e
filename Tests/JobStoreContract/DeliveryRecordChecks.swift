import Foundation
import Jobs
import Testing

extension DeliveryStoreContract {
    /// What came of deliveries.
    static let recordChecks: [DeliveryStoreCheck] = [
        DeliveryStoreCheck("attempts are kept, and a delivery is due again when it was said to be") { fixture in
            let bench = try DeliveryBench(fixture)
            let job = try bench.submit()
            try bench.end(job, .succeeded)
            let due = bench.clock.now().addingTimeInterval(10)
            let first = bench.attempt(1, status: 500, error: "the receiver answered 500")
            #expect(try bench.store.record(first, then: .pending(due: due), lease: try bench.claim().lease))
            #expect(try bench.deliveries(job).map(\.state) == [.pending(due: due)])
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
            bench.clock.advance(10)
            let again = try bench.claim()
            #expect(again.attempt == 2)
            let second = bench.attempt(2, status: 204)
            let end = bench.clock.now()
            #expect(try bench.store.record(second, then: .delivered(end), lease: again.lease))
            let delivery = try #require(try DeliveryBench(fixture).deliveries(job).first)
            #expect(delivery.attempts == [first, second])
            #expect(delivery.state == .delivered(end))
            bench.clock.advance(1_000_000)
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
        },
        DeliveryStoreCheck("one that has failed for good is never due again") { fixture in
            let bench = try DeliveryBench(fixture)
            let job = try bench.submit()
            try bench.end(job, .failed)
            let end = bench.clock.now()
            let attempt = bench.attempt(1, error: "no answer")
            #expect(try bench.store.record(attempt, then: .failed(end), lease: try bench.claim().lease))
            bench.clock.advance(1_000_000)
            #expect(try bench.deliveries(job).map(\.state) == [.failed(end)])
            #expect(try bench.deliveries(job).first?.attempts == [attempt])
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
        },
    ]
}
