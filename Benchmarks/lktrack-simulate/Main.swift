import CapacityModel
import Foundation

/// `./run simulate`: what installations of 1 to 10,000 nodes would do, by the measured times of `./run bench database`.
@main
enum Main {
    static func main() throws {
        let options = SimulateOptions(Array(CommandLine.arguments.dropFirst()))
        let costs = try options.costs()
        print(options.summary(costs))
        for step in Plan.steps(nodes: 1).indices {
            let table = SimulationTable(Plan.steps(nodes: 1)[step].name)
            for nodes in options.nodes {
                let installation = options.applied(to: Plan.steps(nodes: nodes)[step])
                let jobs = min(max(options.jobs, 20 * nodes / installation.shards), 20 * options.jobs)
                let simulation = Simulation(
                    installation, costs: costs, lengths: options.lengths, load: options.load, jobs: jobs,
                    seed: options.seed)
                table.add(nodes, installation, simulation.run())
            }
        }
    }
}

/// Rows as they come.
struct SimulationTable {
    init(_ title: String) {
        print("\n\(title)")
        print(" nodes  shards  offered/s     done/s  wait p50 s  wait p99 s  database  claims  limit")
    }

    func add(_ nodes: Int, _ installation: Installation, _ result: SimulationResult) {
        let hasRun = result.submitted > 0
        let cells = [
            ("\(nodes)", 6), ("\(installation.shards)", 8), (number(result.offered), 11),
            (hasRun ? number(result.throughput) : "-", 11),
            (hasRun ? number(result.wait(0.5)) : "-", 12), (hasRun ? number(result.wait(0.99)) : "-", 12),
            (percent(result.database), 10), (hasRun ? percent(result.claims) : "-", 8),
        ]
        let row = cells.map { text, width in String(repeating: " ", count: max(width - text.count, 1)) + text }
        print(row.joined() + "  " + (result.limit?.rawValue ?? ""))
    }

    private func number(_ value: Double) -> String {
        String(format: value < 10 ? "%.3f" : value < 1000 ? "%.1f" : "%.0f", value)
    }

    private func percent(_ share: Double) -> String { String(format: "%.1f%%", 100 * share) }
}
