import Foundation
import Jobs
import JobStoreContract
import Synchronization
import Testing

@testable import PostgresJobStore

@Suite("Changes across stores on PostgreSQL")
struct ChangeTests {
    /// Collects what a store is told until it is enough.
    private final class Ear: Sendable {
        private let heard = Mutex(StoreChange())
        private let bell = DispatchSemaphore(value: 0)

        init(_ store: PostgresJobStore) {
            store.onChange { [self] change in
                heard.withLock { $0.add(change) }
                bell.signal()
            }
        }

        /// Waits until something is so, a second at most.
        func hears(_ isSo: (StoreChange) -> Bool) -> Bool {
            let deadline = DispatchTime.now() + 1
            while !heard.withLock({ isSo($0) }) {
                guard bell.wait(timeout: deadline) == .success else { return heard.withLock { isSo($0) } }
            }
            return true
        }
    }

    @Test("what one store does another hears within a second: jobs that are queued, changed and ended")
    func acrossStores() throws {
        let schema = try TemporarySchema()
        let (store, other) = (try schema.store(), try schema.store())
        var ear = Ear(other)
        let job = try Job.simple()
        try store.submit(job)
        #expect(ear.hears { $0.isQueued && $0.jobs?.contains(job.id) == true && !$0.isEnded })
        ear = Ear(other)
        let claim = try #require(try store.claim(owner: "worker", leaseSeconds: 30))
        #expect(ear.hears { $0.jobs == [job.id] && !$0.isQueued })
        ear = Ear(other)
        #expect(try store.publish(JobOutcome(status: .succeeded, progress: JobProgress()), lease: claim.lease))
        #expect(ear.hears { $0.isEnded && $0.jobs == [job.id] })
    }

    @Test("more changes than a notification can name are told of all the same")
    func many() throws {
        let schema = try TemporarySchema()
        let (store, other) = (try schema.store(), try schema.store())
        let ear = Ear(other)
        store.changes.note(StoreChange(jobs: Set((0..<100).map { JobID(milliseconds: $0, random: Array(0..<10)) })))
        #expect(ear.hears { $0.jobs?.count == 100 })
        store.changes.note(StoreChange(jobs: nil))
        #expect(ear.hears { $0.jobs == nil })
    }

    @Test("a change that nobody told of is found by a look at the server")
    func untold() throws {
        let schema = try TemporarySchema()
        let store = try schema.store { $0.lookSeconds = 0.05 }
        let count = try #require(store.changeCount())
        try schema.connection().run(script: "UPDATE api_keys_revision SET revision = 7")
        try waitFor("the change to be counted") { store.changeCount() != count }
    }

    @Test("a message reads back as it was, and what is none is nothing")
    func messages() {
        let job = JobIDGenerator().next()
        for change in [StoreChange(jobs: [job], isQueued: true), StoreChange(jobs: nil, isEnded: true), StoreChange()] {
            let message = ChangeMessage(ChangeMessage(sender: "ab", change: change).text)
            #expect(message?.sender == "ab" && message?.change == change)
        }
        #expect(ChangeMessage("") == nil && ChangeMessage("{}") == nil && ChangeMessage("[1") == nil)
    }
}
