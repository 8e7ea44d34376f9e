import Foundation
import Glibc
import Jobs
import Synchronization
import Testing

@testable import Workers

extension WorkersTests {
    @Suite("Jobs of a tenant that has more waiting", .timeLimit(.minutes(10)))
    struct BacklogTests {
        /// More frames than a decoder may be ahead, so that it is there while the first is tracked.
        private static func scene(_ seed: UInt64) throws -> Scene { try Scene(frames: 40, seed: seed) }

        /// Of a thread, or of a process's first; 0: of the calling thread.
        private static func niceness(_ thread: pid_t = 0) -> Int {
            let path = "/proc/\(thread == 0 ? "thread-self" : "\(thread)")/stat"
            let line = try? String(contentsOfFile: path, encoding: .utf8)
            // The name, in parentheses, may have spaces. Niceness is the 19th field, the 17th after it.
            let fields = line?.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 16 ? Int(fields[16]) ?? .min : .min
        }

        /// Runs jobs with one worker, one after another.
        ///
        /// - Returns: for each, the niceness of its thread and of its decoders.
        private func run(_ jobs: [Job], _ bench: Bench) async throws -> [[Int]] {
            let link = bench.folder.appendingPathComponent("decoder").path
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: DecoderBinary.path)
            let seen = Seen()
            let pool = try bench.pool(decoder: DecoderBinary.command(link)) { event in
                guard case .tracked(let id, frame: 0) = event else { return }
                seen.note(id, [Self.niceness()] + DecoderBinary.processes(of: link).map(Self.niceness))
            }
            try pool.start()
            for job in jobs { #expect(await bench.events.end(of: job.id) == .succeeded) }
            await bench.stop(pool)
            return jobs.map { seen[$0.id] }
        }

        private final class Seen: Sendable {
            private let values = Mutex<[JobID: [Int]]>([:])
            func note(_ id: JobID, _ value: [Int]) { values.withLock { $0[id] = value } }
            subscript(_ id: JobID) -> [Int] { values.withLock { $0[id] ?? [] } }
        }

        @Test(
            "beside another tenant's, the decoder of a job stands back while more of its tenant wait; no worker's thread does"
        )
        func standBack() async throws {
            let bench = try Bench()
            let neighbour = try bench.submit(try Self.scene(4), tenant: TenantID("other"))
            let jobs = try (1...3).map { try bench.submit(try Self.scene($0)) }
            let seen = try await run([neighbour] + jobs, bench)
            let usual = Self.niceness()
            let back = min(usual + 5, 19)
            // The first began before there was another tenant's, and the last has none behind it.
            #expect(seen == [[usual, usual], [usual, usual], [usual, back], [usual, usual]])
        }

        @Test("a tenant that is alone has all there is")
        func alone() async throws {
            let bench = try Bench()
            let seen = try await run((1...3).map { try bench.submit(try Self.scene($0)) }, bench)
            let usual = Self.niceness()
            #expect(seen == Array(repeating: [usual, usual], count: 3))
        }

        @Test("who has more waiting stands back while another's job runs, and for a minute after")
        func neighbours() throws {
            let bench = try Bench()
            let other = try bench.submit(try Scene(), tenant: TenantID("other"))
            let jobs = try (1...2).map { try bench.submit(try Scene(seed: $0)) }
            let backlog = Backlog(bench.store)
            let start = ContinuousClock.now
            func begin(_ job: Job, _ seconds: Double) -> Bool { backlog.begin(job, now: start + .seconds(seconds)) }
            func end(_ job: Job, _ seconds: Double) { backlog.end(job, now: start + .seconds(seconds)) }
            #expect(!begin(jobs[0], 0))
            // All of them are still waiting in the store, also those that have begun here.
            #expect(begin(other, 1))
            end(jobs[0], 2)
            #expect(begin(jobs[1], 1000))
            end(other, 1001)
            end(jobs[1], 1002)
            #expect(begin(jobs[0], 1060))
            end(jobs[0], 1060)
            #expect(!begin(jobs[1], 1061))
        }

        @Test("a run that stands back follows targets on such a thread, any other on the caller's")
        func runs() throws {
            let usual = Self.niceness()
            let back = min(usual + 5, 19)
            for (niceness, expected) in [(Int32(0), usual), (5, back)] {
                let groups = try TargetGroups(
                    JobSpec(targets: [try Scene().target]), followed: [0], concurrency: 1, niceness: niceness)
                let seen = Mutex(0)
                groups.compute { seen.withLock { $0 = Self.niceness() } }
                #expect(seen.withLock { $0 } == expected)
            }
        }

        @Test("a thread that stands back computes, and its caller does not stand back")
        func thread() throws {
            let usual = Self.niceness()
            let seen = Mutex<[Int]>([])
            let thread = try #require(StandingBackThread(niceness: 5))
            for round in 0..<1000 { thread.run { seen.withLock { $0.append(round == 0 ? Self.niceness() : round) } } }
            #expect(seen.withLock { $0 } == [min(usual + 5, 19)] + Array(1..<1000))
            #expect(Self.niceness() == usual)
        }

        @Test("a job that stands back has the boxes of one that does not")
        func sameBoxes() async throws {
            let bench = try Bench()
            let neighbour = try bench.submit(try Self.scene(4), tenant: TenantID("other"))
            let jobs = try (0..<3).map { _ in try bench.submit(try Self.scene(3)) }
            let seen = try await run([neighbour] + jobs, bench)
            #expect(Set(seen.map(\.last)).count == 2)
            let results = try jobs.map { try bench.result(try bench.current($0)) }
            #expect(Set(results).count == 1 && !results[0].isEmpty)
        }
    }
}
