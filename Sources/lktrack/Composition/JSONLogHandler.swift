import Foundation
import Jobs
import Logging
import Synchronization

/// Writes each log entry as one JSON object a line: `time`, `level`, `logger`, `message`, then the metadata.
struct JSONLogHandler: LogHandler {
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let output: LogOutput

    init(label: String, output: LogOutput, level: Logger.Level) {
        self.label = label
        self.output = output
        self.logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        // A line for every request: written at once instead of put together first.
        var line: [UInt8] = []
        line.reserveCapacity(512)
        line.append(contentsOf: #"{"time":"#.utf8)
        line.appendJSONString(RFC3339.string(Date()))
        line.append(contentsOf: #","level":"#.utf8)
        line.appendJSONString(event.level.rawValue)
        line.append(contentsOf: #","logger":"#.utf8)
        line.appendJSONString(label)
        line.append(contentsOf: #","message":"#.utf8)
        line.appendJSONString(event.message.description)
        let own = event.metadata ?? [:]
        let all = metadata.isEmpty ? own : metadata.merging(own) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line.append(UInt8(ascii: ","))
            line.appendJSONString(key)
            line.append(UInt8(ascii: ":"))
            Self.json(value).append(to: &line)
        }
        line.append(contentsOf: "}\n".utf8)
        output.write(line)
    }

    private static func json(_ value: Logger.MetadataValue) -> JSONValue {
        switch value {
        case .string(let text): .string(text)
        // The usual ones, without looking for what else they conform to.
        case .stringConvertible(let value as Int): .int(value)
        case .stringConvertible(let value as Int64): .int(value)
        case .stringConvertible(let value as any BinaryInteger): .number(Double(Int64(clamping: value)))
        case .stringConvertible(let value as Double) where value.isFinite: .number(value)
        case .stringConvertible(let value as Bool): .bool(value)
        case .stringConvertible(let value): .string(value.description)
        case .array(let values): .array(values.map(json))
        case .dictionary(let values):
            .object(JSONObject(values.sorted { $0.key < $1.key }.map { ($0.key, json($0.value)) }))
        }
    }
}

/// Where lines of the log go; a line is never broken up by another.
final class LogOutput: Sendable {
    private let descriptor: Mutex<Int32>

    init(descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    /// - Parameter line: with its end.
    func write(_ line: [UInt8]) {
        _ = descriptor.withLock { Console.write(line, to: $0) }
    }
}
