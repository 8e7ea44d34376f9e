import Glibc
import Logging

/// The service's log: JSON lines on standard error.
enum ServiceLog {
    static func make(level: ServiceConfiguration.LogLevel) -> Logger {
        let output = LogOutput(descriptor: STDERR_FILENO)
        let loggerLevel = Logger.Level(rawValue: level.rawValue) ?? .info
        return Logger(label: "lktrack") { JSONLogHandler(label: $0, output: output, level: loggerLevel) }
    }
}
