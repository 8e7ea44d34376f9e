import Dispatch
import Synchronization

/// A fixed number of threads that run handlers in the order of their submission, and a bounded queue before them.
final class HandlerPool: Sendable {
    typealias Job = @Sendable () -> Void

    private struct State {
        var waiting: [Job] = []
        /// Of `waiting`, how many were taken already.
        var taken = 0
        var isClosed = false

        mutating func next() -> Job? {
            guard taken < waiting.count else { return nil }
            let job = waiting[taken]
            taken += 1
            if taken == waiting.count {
                waiting.removeAll(keepingCapacity: true)
                taken = 0
            } else if taken > 1024, taken * 2 > waiting.count {
                waiting.removeFirst(taken)
                taken = 0
            }
            return job
        }
    }

    private let backlog: Int
    private let state = Mutex(State())
    /// Counts the jobs that wait, and after closing one for each thread.
    private let available = DispatchSemaphore(value: 0)
    private let threadCount: Int

    /// - Parameter name: of its threads.
    /// - Throws: `outOfResources`.
    init(name: String, threads: Int, backlog: Int) throws(HTTPServerError) {
        self.backlog = backlog
        threadCount = threads
        do throws(HTTPServerError) {
            for _ in 0..<threads {
                try ServerThread(name: name) { [self] in run() }.detach()
            }
        } catch {
            close()
            throw error
        }
    }

    /// False where the backlog is full or the pool closed: the job does not run.
    func submit(_ job: @escaping Job) -> Bool {
        let isAccepted = state.withLock { state in
            guard !state.isClosed, state.waiting.count - state.taken < backlog else { return false }
            state.waiting.append(job)
            return true
        }
        if isAccepted { available.signal() }
        return isAccepted
    }

    /// Lets the threads end once nothing waits. Handlers that run now are not waited for: nothing can end them.
    func close() {
        state.withLock { $0.isClosed = true }
        for _ in 0..<threadCount { available.signal() }
    }

    private func run() {
        while true {
            available.wait()
            let (job, isClosed) = state.withLock { ($0.next(), $0.isClosed) }
            if let job {
                job()
            } else if isClosed {
                return
            }
        }
    }
}
