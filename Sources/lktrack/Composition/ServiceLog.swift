import Glibc
import HTTPServer
import Jobs
import Logging

/// The service's log: JSON lines on standard error.
struct ServiceLog: Sendable {
    private static let label = "lktrack"

    let logger: Logger
    private let output: LogOutput

    init(level: ServiceConfiguration.LogLevel) {
        let output = LogOutput(descriptor: STDERR_FILENO)
        let loggerLevel = Logger.Level(rawValue: level.rawValue) ?? .info
        self.output = output
        logger = Logger(label: Self.label) { JSONLogHandler(label: $0, output: output, level: loggerLevel) }
    }

    /// Writes the line of a finished request: what ``logger`` would write, without its detour by a dictionary. A line that
    /// tells of no fault may wait a moment.
    func write(_ summary: HTTPRequestSummary) {
        let level = summary.logLevel
        guard logger.logLevel <= level else { return }
        var line = LogLine(label: Self.label, level: level, message: HTTPRequestSummary.logMessage)
        summary.describe { name, value in line.add(name, Self.json(value)) }
        if level < .warning { output.gather(line) } else { output.write(line) }
    }

    private static func json(_ value: HTTPRequestSummary.LogValue) -> JSONValue {
        switch value {
        case .text(let text): .string(text)
        case .integer(let number): .int(number)
        case .number(let number): .number(number)
        case .flag(let flag): .bool(flag)
        }
    }

    /// Writes what waits. To be called before the process ends.
    func flush() { output.flush() }
}
