import Foundation

/// One promise, and how it is tried.
protocol Proof: Sendable {
    var name: String { get }
    /// What must hold.
    var claim: String { get }
    /// Whether it takes less than two minutes, with fewer rounds where it is asked for fewer.
    var isQuick: Bool { get }
    /// Throws where it could not be tried, which is no proof either; ``NotProvable`` where this machine cannot.
    func run(_ options: ProofOptions) throws -> ProofResult
}

extension Proof {
    var isQuick: Bool { true }

    func attempt(_ options: ProofOptions) -> ProofOutcome {
        let start = ContinuousClock.now
        print("\(name): \(claim) …")
        do {
            let result = try run(options)
            return ProofOutcome(result: result, seconds: (ContinuousClock.now - start) / .seconds(1))
        } catch let reason as NotProvable {
            return ProofOutcome(notProvable: reason.reason, seconds: 0)
        } catch {
            let failure = ProofResult(tried: "\(error)", losses: ["not tried to the end"], figure: "")
            return ProofOutcome(result: failure, seconds: (ContinuousClock.now - start) / .seconds(1))
        }
    }
}

struct NotProvable: Error {
    let reason: String
}

/// Something that a proof waits for did not come.
struct ProofError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

struct ProofResult: Sendable {
    /// What was done, with numbers.
    var tried: String
    /// What should not have happened, each in a few words.
    var losses: [String] = []
    /// What was measured along.
    var figure = ""

    /// Notes a loss where it is not so.
    mutating func expect(_ holds: Bool, _ loss: @autoclosure () -> String) {
        if !holds { losses.append(loss()) }
    }
}

struct ProofOutcome {
    var result: ProofResult?
    var notProvable: String?
    var seconds: Double

    init(result: ProofResult, seconds: Double) {
        self.result = result
        self.seconds = seconds
    }

    init(notProvable: String, seconds: Double) {
        self.notProvable = notProvable
        self.seconds = seconds
    }
}

/// The rows as they come, and the exit status.
struct ProofTable {
    private var rows: [(name: String, outcome: ProofOutcome)] = []

    mutating func add(_ name: String, _ outcome: ProofOutcome) {
        rows.append((name, outcome))
        print("  \(Self.text(outcome))")
        for loss in outcome.result?.losses.prefix(10) ?? [] { print("    LOST: \(loss)") }
        fflush(nil)
    }

    /// Of a run of which something could not be tried, as automake has it of tests that were skipped.
    private static let notProvable: Int32 = 77

    /// Prints everything once more and ends the program.
    func finish(_ options: ProofOptions) -> Never {
        print("\n" + Self.line("proof", "lost", "seconds", "what was tried, and what was measured"))
        for row in rows {
            let result = row.outcome.result
            print(
                Self.line(
                    row.name, result.map { String($0.losses.count) } ?? "-",
                    String(format: "%.0f", row.outcome.seconds),
                    Self.text(row.outcome)))
        }
        let lost = rows.reduce(0) { $0 + ($1.outcome.result?.losses.count ?? 0) }
        let open = rows.count { $0.outcome.result == nil }
        print("\n\(rows.count) proofs, \(lost) losses" + (open > 0 ? ", \(open) that this machine cannot run" : ""))
        if options.isPlain { print("apart from these: ./run proofs --load, half an hour of mixed work") }
        if lost > 0 { exit(1) }
        // Quick ones are part of `./run test`, which must not fail where nobody is root.
        exit(open > 0 && !options.isQuick ? Self.notProvable : 0)
    }

    private static func text(_ outcome: ProofOutcome) -> String {
        guard let result = outcome.result else { return "not provable here: \(outcome.notProvable ?? "")" }
        return result.tried + (result.figure.isEmpty ? "" : "; " + result.figure)
    }

    private static func line(_ name: String, _ lost: String, _ seconds: String, _ text: String) -> String {
        func left(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        return left(name, 16) + right(lost, 5) + right(seconds, 9) + "  " + text
    }
}
