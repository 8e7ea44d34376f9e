import Foundation
import ServiceHarness
import Synchronization

/// Clients that submit so many jobs at a steady pace, each until some node has accepted it.
final class ClusterClients: Sendable {
    struct Submitted: Sendable {
        let id: String
        let work: Int
    }

    private let works: [Work]
    private let nodes: [ClusterNode]
    private let count: Int
    private let next = Atomic(0)
    private let accepted = Tally<Submitted>()
    private let strange = Tally<Int>()
    private let retries = Atomic(0)
    private let crew = Mutex<Crew?>(nil)

    private static let members = 4

    /// - Parameter perSecond: jobs a second in all, where the nodes take them.
    init(_ works: [Work], to nodes: [ClusterNode], count: Int, perSecond: Double) {
        self.works = works
        self.nodes = nodes
        self.count = count
        let begin = ContinuousClock.now
        let crew = Crew(Self.members) { [self] _, crew in
            let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard number < count else { return pause(0.05) }
            let due = begin + .seconds(Double(number) / perSecond)
            if ContinuousClock.now < due { pause((due - .now) / .seconds(1)) }
            submit(number, crew)
        }
        self.crew.withLock { $0 = crew }
    }

    var all: [Submitted] { accepted.all }
    var isDone: Bool { accepted.count >= count }
    /// Answers that are neither 202 nor 503, nor none.
    var otherAnswers: [Int] { strange.all }
    /// Submissions that were sent again, because no node answered or none could.
    var repeats: Int { retries.load(ordering: .relaxed) }

    func stop() { crew.withLock { $0 }?.stop() }

    private func submit(_ number: Int, _ crew: Crew) {
        let (kind, key) = (number % works.count, UUID().uuidString)
        let work = works[kind]
        var attempt = 0
        while !crew.hasToStop {
            let wire = nodes[(number + attempt) % nodes.count].wire
            let answer = try? wire.request(
                "POST", work.path, fields: ["Content-Type: application/octet-stream", "Idempotency-Key: \(key)"],
                body: work.clip.bytes, seconds: 10)
            if answer?.status == 202, let id = answer?.json["id"] as? String {
                return accepted.add(Submitted(id: id, work: kind))
            }
            if let status = answer?.status, status != 0, status != 503 { strange.add(status) }
            retries.wrappingAdd(1, ordering: .relaxed)
            attempt += 1
            pause(0.1)
        }
    }
}
