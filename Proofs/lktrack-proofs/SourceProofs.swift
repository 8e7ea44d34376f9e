import Foundation
import ServiceHarness

/// What is tried on a build of its own, and not on the binary: by the project's own commands, in its folder.
private enum Checkout {
    static func run(_ command: String, _ arguments: [String]) throws -> Executable.Output {
        guard FileManager.default.isExecutableFile(atPath: command) else {
            throw NotProvable(reason: "it builds the sources, and runs in their folder only")
        }
        return try Executable.run("/usr/bin/env", ["timeout", "-k", "60", "3h", command] + arguments)
    }
}

/// Inputs by the million, under AddressSanitizer.
struct ParsersProof: Proof {
    let name = "parsers"
    let claim = "libFuzzer over each parser, half a minute over short inputs, then long ones: no crash, none that hangs"
    let isQuick = false

    private static let secondsEach = 30
    /// Of a run, that of long inputs of the slowest parser included; a parser that refused everything would do millions.
    private static let leastExecutions = 200

    func run(_ options: ProofOptions) throws -> ProofResult {
        let output = try Checkout.run("scripts/fuzz", ["--seconds", "\(Self.secondsEach)"])
        // TARGET ok|FAILED N executions, N edges
        let rows = output.lines.map { $0.split(separator: " ") }.filter { $0.count == 6 && $0[3] == "executions," }
        let counts = rows.compactMap { row in Int(row[2]).map { (target: row[0], executions: $0) } }
        let corpus = try FileManager.default.contentsOfDirectory(atPath: "Fuzzing/corpus").count
        guard output.status <= 1, let fewest = counts.min(by: { $0.executions < $1.executions }) else {
            throw ProofError(String(output.standardError.suffix(1000)))
        }
        var result = ProofResult(
            tried: "\(corpus) targets, each over short and over long inputs: "
                + "\(counts.reduce(0) { $0 + $1.executions }) executions",
            figure: "\(rows.count { $0[1] == "ok" }) of \(rows.count) without a finding, the fewest were "
                + "\(fewest.executions) of \(fewest.target)")
        for row in rows where row[1] != "ok" { result.losses.append("\(row[0]): see .build-fuzz/findings") }
        result.expect(
            fewest.executions >= Self.leastExecutions, "only \(fewest.executions) executions of \(fewest.target)")
        result.expect(counts.count == 2 * corpus, "\(counts.count) of \(2 * corpus) runs were counted")
        result.expect(output.status == 0 || !result.losses.isEmpty, "the exit status is \(output.status)")
        return result
    }
}

/// The unit suites, in a build that watches each access to memory.
struct SanitizerProof: Proof {
    let name: String
    let claim: String
    let isQuick = false

    private let sanitizer: String
    private let report: String
    /// There are more than a thousand.
    private static let leastTests = 1000
    /// Of tests that fail.
    private static let mostTold = 20

    static let races = SanitizerProof(
        name: "races", claim: "the unit suites under ThreadSanitizer: no report", sanitizer: "thread",
        report: "WARNING: ThreadSanitizer")
    static let memoryErrors = SanitizerProof(
        name: "memory errors", claim: "the unit suites under AddressSanitizer: no report", sanitizer: "address",
        report: "ERROR: AddressSanitizer")

    func run(_ options: ProofOptions) throws -> ProofResult {
        let output = try Checkout.run("./run", ["test", "--sanitize", sanitizer])
        let text = output.text + output.standardError
        let reports = text.components(separatedBy: report).count - 1
        // Test run with N tests in N suites passed after N seconds.
        let summary = text.split(separator: "\n").last { $0.contains("Test run with ") }
        let words = summary?.split(separator: " ") ?? []
        guard let tests = words.firstIndex(of: "tests").flatMap({ Int(words[$0 - 1]) }) else {
            throw ProofError("\(reports) reports, and no end of the tests: \(text.suffix(1000))")
        }
        var result = ProofResult(tried: "\(tests) tests", figure: "\(reports) reports")
        result.expect(reports == 0, "\(reports) reports")
        result.expect(tests >= Self.leastTests, "there were \(tests) tests only")
        result.expect(output.status == 0, "the exit status is \(output.status): \(summary ?? "")")
        result.losses += text.split(separator: "\n").filter { $0.contains(" recorded an issue ") }.prefix(Self.mostTold)
            .map(String.init)
        return result
    }
}
