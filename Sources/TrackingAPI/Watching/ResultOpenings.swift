import Jobs
import Synchronization

/// The threads that open results which another machine has, for those who watch their jobs: a silent one holds up
/// nobody who waits for something else. Tenants take turns, and each job's result is opened once at a time.
final class ResultOpenings: Sendable {
    /// Results that are opened at a time.
    private static let threads = 8

    let pool = TurnPool(threads: ResultOpenings.threads)
    /// Jobs whose result is being opened, or will be, and whether that was asked for again since it began.
    private let jobs = Mutex<[JobID: Bool]>([:])

    /// - Parameter open: called when its turn comes, and once more where it is asked for again meanwhile.
    func submit(_ id: JobID, of tenant: TenantID, _ open: @escaping TurnPool.Work) {
        let isFirst = jobs.withLock { jobs in
            defer { jobs[id] = jobs[id] != nil }
            return jobs[id] == nil
        }
        if isFirst { enqueue(id, tenant, open) }
    }

    private func enqueue(_ id: JobID, _ tenant: TenantID, _ open: @escaping TurnPool.Work) {
        pool.submit(tenant) { [self] in
            // What was asked for up to now is done by this.
            jobs.withLock { $0[id] = false }
            open()
            let isAskedAgain = jobs.withLock { jobs in
                guard jobs[id] == false else { return true }
                jobs[id] = nil
                return false
            }
            if isAskedAgain { enqueue(id, tenant, open) }
        }
    }
}
