import Foundation
import Jobs
import Synchronization
import Testing

extension JobStoreContract {
    private static let claimedJobs = 500

    static let concurrencyChecks: [JobStoreCheck] = [
        JobStoreCheck("8 threads with connections of their own claim 500 jobs, none of them twice") { fixture in
            let bench = try Bench(fixture)
            for _ in 0..<claimedJobs { try bench.submit() }
            let stores = try (0..<8).map { _ in try fixture.open(SystemEnvironment()) }
            let claims = Mutex<[JobID: Set<String>]>([:])
            let failures = Mutex<[String]>([])
            onThreads(stores.count) { index in
                do {
                    while let claimed = try stores[index].claim(owner: "thread-\(index)", leaseSeconds: 600) {
                        claims.withLock { _ = $0[claimed.job.id, default: []].insert(claimed.lease.token) }
                    }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            #expect(failures.withLock { $0 }.isEmpty)
            #expect(claims.withLock { $0.count } == claimedJobs)
            #expect(claims.withLock { $0.values.allSatisfy { $0.count == 1 } })
            #expect(try bench.store.counts()[.running] == claimedJobs)
        },
        JobStoreCheck("cancel, delete and publish at the same time leave each job in one final state") { fixture in
            let bench = try Bench(fixture)
            let other = try fixture.open(bench.clock)
            for _ in 0..<40 {
                let submitted = try bench.submit()
                let lease = try bench.claim().lease
                let failures = Mutex<[String]>([])
                onThreads(3) { index in
                    do {
                        switch index {
                        case 0: _ = try other.requestCancel(submitted.id, tenant: .anonymous)
                        case 1: _ = try other.delete(submitted.id, tenant: .anonymous)
                        default:
                            let outcome = JobOutcome(status: .succeeded, progress: JobProgress())
                            _ = try bench.store.publish(outcome, lease: lease)
                        }
                    } catch {
                        failures.withLock { $0.append("\(error)") }
                    }
                }
                #expect(failures.withLock { $0 }.isEmpty)
                #expect(try bench.store.exists(submitted.id) == false)
                #expect(try bench.store.status(of: lease) == .lost)
            }
            #expect(try bench.store.counts().values.reduce(0, +) == 0)
        },
    ]
}
