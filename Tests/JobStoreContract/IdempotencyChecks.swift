import Foundation
import Jobs
import Synchronization
import Testing

extension JobStoreContract {
    static let idempotencyChecks: [JobStoreCheck] = [
        JobStoreCheck("an attempt with a used key keeps nothing and gets the first one back") { fixture in
            let bench = try Bench(fixture)
            let first = IdempotentAttempt(key: "k \"1\"", fingerprint: "ab", answer: Array("{\"ü\": 1}".utf8))
            let job = bench.job(labels: ["camera": "7"])
            #expect(try bench.store.submit(job, as: first) == nil)
            #expect(try bench.current(job) == job)
            let retry = IdempotentAttempt(key: first.key, fingerprint: "cd", answer: [])
            let copy = bench.job()
            #expect(try bench.store.submit(copy, as: retry) == first)
            #expect(try bench.store.exists(copy.id) == false)
            #expect(try bench.store.counts()[.queued] == 1)
        },
        JobStoreCheck("each tenant has its own keys") { fixture in
            let bench = try Bench(fixture)
            let attempt = IdempotentAttempt(key: "k", fingerprint: "ab", answer: [])
            for name in ["a", "b"] {
                #expect(try bench.store.submit(bench.job(tenant: TenantID(name)), as: attempt) == nil)
            }
            #expect(try bench.store.attempt(key: "k", tenant: TenantID("c")) == nil)
        },
        JobStoreCheck("a key outlives its job and the process, and is forgotten after a day") { fixture in
            let attempt = IdempotentAttempt(key: "k", fingerprint: "ab", answer: Array("first".utf8))
            do {
                let bench = try Bench(fixture)
                let job = bench.job()
                #expect(try bench.store.submit(job, as: attempt) == nil)
                _ = try bench.store.delete(job.id, tenant: .anonymous)
            }
            let bench = try Bench(fixture)
            bench.clock.advance(IdempotencyLimits.seconds - 1)
            #expect(try bench.store.attempt(key: "k", tenant: .anonymous) == attempt)
            bench.clock.advance(2)
            #expect(try bench.store.attempt(key: "k", tenant: .anonymous) == nil)
            let second = IdempotentAttempt(key: "k", fingerprint: "cd", answer: Array("second".utf8))
            #expect(try bench.store.submit(bench.job(), as: second) == nil)
            #expect(try bench.store.attempt(key: "k", tenant: .anonymous) == second)
        },
        JobStoreCheck("old keys are removed in batches, young ones stay") { fixture in
            let bench = try Bench(fixture)
            for index in 0..<5 {
                let attempt = IdempotentAttempt(key: "old \(index)", fingerprint: "ab", answer: [])
                _ = try bench.store.submit(bench.job(), as: attempt)
            }
            bench.clock.advance(IdempotencyLimits.seconds)
            let young = IdempotentAttempt(key: "young", fingerprint: "ab", answer: [])
            _ = try bench.store.submit(bench.job(), as: young)
            #expect(try (0..<4).map { _ in try bench.store.forgetAttempts(limit: 2) } == [2, 2, 1, 0])
            #expect(try bench.store.attempt(key: "young", tenant: .anonymous) == young)
        },
        JobStoreCheck("a job that cannot be kept leaves its key unused") { fixture in
            let bench = try Bench(fixture)
            try bench.store.setQuota(TenantQuota(queued: 0), of: .anonymous)
            let attempt = IdempotentAttempt(key: "k", fingerprint: "ab", answer: [])
            #expect(throws: JobsError.self) { try bench.store.submit(bench.job(), as: attempt) }
            #expect(try bench.store.attempt(key: "k", tenant: .anonymous) == nil)
        },
        JobStoreCheck("of attempts that come together, by several processes, one is kept") { fixture in
            let bench = try Bench(fixture)
            let stores = try (0..<4).map { _ in try fixture.open(bench.clock) }
            let jobs = (0..<16).map { _ in bench.job() }
            let kept = Mutex(0)
            onThreads(jobs.count) { index in
                let attempt = IdempotentAttempt(key: "k", fingerprint: "ab", answer: [UInt8(index)])
                do {
                    if try stores[index % 4].submit(jobs[index], as: attempt) == nil { kept.withLock { $0 += 1 } }
                } catch {
                    Issue.record(error)
                }
            }
            #expect(kept.withLock { $0 } == 1)
            #expect(try bench.store.counts()[.queued] == 1)
        },
    ]
}
