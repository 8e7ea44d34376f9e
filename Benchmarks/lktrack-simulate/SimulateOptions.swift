import CapacityModel
import Foundation

/// What is simulated.
struct SimulateOptions {
    var seed: UInt64 = 1
    var load = 0.8
    var jobs = 20_000
    var nodes = [1, 4, 16, 64, 256, 1000, 4000, 10_000]
    var processors = 16
    var connections = 1000
    /// Of one job on one core, in milliseconds.
    var frameMilliseconds = 6.0
    var startMilliseconds = 60.0
    /// See ``Installation/claimsOneByOne``.
    var claimsOneByOne = false
    private var measured = "bench.json"

    /// Videos' lengths in frames: half are shorter than 240, one in a thousand is longer than 13,500.
    private static let (shape, leastFrames, mostFrames) = (1.5, 150.0, 50_000.0)

    init(_ arguments: [String]) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "-h" || argument == "--help" {
                print(Self.usage)
                exit(0)
            }
            if argument == "--one-tenant" {
                claimsOneByOne = true
                continue
            }
            guard let value = rest.popFirst() else { Self.refuse("'\(argument)': no such option, or it needs a value") }
            func number(_ range: ClosedRange<Double>) -> Double {
                guard let number = Double(value), range.contains(number) else {
                    Self.refuse("\(argument) needs a number from \(range.lowerBound) to \(range.upperBound)")
                }
                return number
            }
            switch argument {
            case "--measured": measured = value
            case "--seed": seed = UInt64(number(0...1e15))
            case "--load": load = number(0.01...2)
            case "--jobs": jobs = Int(number(100...1e7))
            case "--processors": processors = Int(number(1...1024))
            case "--connections": connections = Int(number(1...1e6))
            case "--frame-ms": frameMilliseconds = number(0.01...1e5)
            case "--start-ms": startMilliseconds = number(0...1e6)
            case "--nodes":
                nodes = value.split(separator: ",").compactMap { Int($0) }.filter { (1...1_000_000).contains($0) }
                if nodes.isEmpty { Self.refuse("--nodes needs numbers, separated by commas") }
            default: Self.refuse("there is no option \(argument)")
            }
        }
    }

    /// What a core spends on a job. The start is far less than the shortest video: it is added to the least length.
    var lengths: JobLength {
        .boundedPareto(
            shape: Self.shape, least: (Self.leastFrames * frameMilliseconds + startMilliseconds) / 1000,
            greatest: (Self.mostFrames * frameMilliseconds + startMilliseconds) / 1000)
    }

    func applied(to installation: Installation) -> Installation {
        var installation = installation
        installation.processors = processors
        installation.connections = connections
        installation.claimsOneByOne = claimsOneByOne
        return installation
    }

    // MARK: Measured times

    private struct Document: Decodable {
        struct Figure: Decodable {
            let part, name: String
            let median: Double
        }
        let figures: [Figure]
    }

    /// The figures of `./run bench database`.
    func costs() throws -> DatabaseCosts {
        guard let data = FileManager.default.contents(atPath: measured) else {
            Self.refuse("\(measured) is not there: make it by `./run bench database`")
        }
        let figures = try JSONDecoder().decode(Document.self, from: data).figures.filter { $0.part == "database" }
        var costs = DatabaseCosts()
        for operation in DatabaseOperation.allCases {
            guard let figure = figures.first(where: { $0.name == DatabaseCosts.figureName(operation) }) else {
                Self.refuse("\(measured) has no time of '\(operation.rawValue)': make it by `./run bench database`")
            }
            costs[operation] = figure.median / 1e6
        }
        return costs
    }

    func summary(_ costs: DatabaseCosts) -> String {
        let times = DatabaseOperation.allCases.map { operation in
            "\(operation.rawValue) \(String(format: "%.0f", costs[operation] * 1e6))"
        }
        return """
            seed \(seed), load \(load) of the workers; nodes of 2 workers; a job takes a worker \
            \(String(format: "%.2f", lengths.mean)) s on average
            each database: \(processors) processors, \(connections) connections; µs of a processor: \
            \(times.joined(separator: ", "))
            """
    }

    private static var usage: String {
        """
        usage: ./run simulate [--measured bench.json] [--nodes 1,4,16] [--load 0.8] [--processors 16]
                              [--connections 1000] [--frame-ms 6] [--start-ms 60] [--jobs 20000] [--seed 1]
                              [--one-tenant]

        Prints for each step of the plan of docs/scaling.md, and each number of nodes: jobs a second that come and that
        are done, how long they wait, what the database and the claims have to do, and what stops it from keeping up.
        The database's times are those of `./run bench database`, which writes them to bench.json. With --one-tenant all
        jobs are of one tenant whose running jobs are limited: such claims go one after another.
        """
    }

    private static func refuse(_ reason: String) -> Never {
        FileHandle.standardError.write(Data("\(reason)\n\n\(usage)\n".utf8))
        exit(64)
    }
}
