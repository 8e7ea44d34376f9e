import Foundation
import ServiceHarness
import Synchronization

/// Somebody else who asks all the time, and a look at the memory of the server and its decoders.
final class Watch: Sendable {
    private let crew: Crew
    private let failures: Tally<String>
    private let times: Tally<Double>

    /// Asks for a job of its own, which is done by then: that takes a thread of the server's and the store.
    init(_ server: Server) throws {
        let wire = server.wire
        let id = try server.finishedJob()
        let process = server.processIdentifier
        let failures = Tally<String>()
        let times = Tally<Double>()
        let peak = PeakMemory()
        self.failures = failures
        self.times = times
        memory = peak
        crew = Crew(2) { member, _ in
            if member == 0 {
                let start = ContinuousClock.now
                let status = (try? wire.get("/v1/jobs/\(id)").status) ?? 0
                times.add((ContinuousClock.now - start) / .seconds(1))
                if status != 200 { failures.add("the API answered somebody else with \(status)") }
            } else {
                peak.note(Processes.memory(ofFamily: process))
            }
            pause(0.01)
        }
    }

    private let memory: PeakMemory

    /// What went wrong meanwhile.
    func stop() -> [String] {
        crew.stop()
        return failures.all
    }

    /// RSS of all processes together, in bytes.
    var peakMemory: Int { memory.value }
    var requests: Int { times.count }
    var slowest: Double { times.all.max() ?? 0 }
}

/// The largest of what was noted.
final class PeakMemory: Sendable {
    private let largest = Mutex(0)
    func note(_ value: Int) { largest.withLock { $0 = max($0, value) } }
    var value: Int { largest.withLock { $0 } }
}

extension Processes {
    /// RSS in bytes.
    static func memory(of process: Int32) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }

    static func memory(ofFamily process: Int32) -> Int {
        ([process] + children(of: process)).reduce(0) { $0 + memory(of: $1) }
    }

    static func openFiles(of process: Int32) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count) ?? 0
    }
}
