import Glibc
import HTTPServer
import Jobs
import Logging

/// The service's log: JSON lines on standard error.
struct ServiceLog: Sendable {
    private static let label = "lktrack"

    /// Of nearly all requests.
    private static let usual = kind(.info)

    let logger: Logger
    private let level: Logger.Level
    private let output: LogOutput

    init(level: ServiceConfiguration.LogLevel) {
        let output = LogOutput(descriptor: STDERR_FILENO)
        let loggerLevel = Logger.Level(rawValue: level.rawValue) ?? .info
        self.output = output
        self.level = loggerLevel
        logger = Logger(label: Self.label) { JSONLogHandler(label: $0, output: output, level: loggerLevel) }
    }

    /// Writes the line of a finished request: what ``logger`` would write, without its detour by a dictionary. A line that
    /// tells of no fault may wait a moment.
    func write(_ summary: HTTPRequestSummary) {
        let lineLevel = summary.logLevel
        guard level <= lineLevel else { return }
        var line = LogLine(lineLevel == .info ? Self.usual : Self.kind(lineLevel))
        summary.describe { name, value in
            switch value {
            case .text(let text): line.add(name, text)
            case .integer(let number): line.add(name, number)
            case .number(let number): line.add(name, number)
            case .flag(let flag): line.add(name, flag)
            }
        }
        if lineLevel < .warning { output.gather(line) } else { output.write(line) }
    }

    private static func kind(_ level: Logger.Level) -> LogLine.Kind {
        LogLine.Kind(label: label, level: level, message: HTTPRequestSummary.logMessage)
    }

    /// Writes what waits. To be called before the process ends.
    func flush() { output.flush() }
}
