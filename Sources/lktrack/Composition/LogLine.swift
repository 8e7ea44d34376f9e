import Foundation
import Jobs
import Logging

/// One entry of the log: a JSON object on a line. There is one for every request, so it is written as it comes instead
/// of put together first.
struct LogLine {
    private static let usualBytes = 512

    private var bytes: [UInt8] = []

    /// An entry of this moment.
    init(label: String, level: Logger.Level, message: String) {
        bytes.reserveCapacity(Self.usualBytes)
        bytes.append(contentsOf: #"{"time":""#.utf8)
        RFC3339.append(Date(), to: &bytes)
        bytes.append(contentsOf: #"","level":""#.utf8)
        bytes.append(contentsOf: level.rawValue.utf8)
        bytes.append(contentsOf: #"","logger":"#.utf8)
        bytes.appendJSONString(label)
        bytes.append(contentsOf: #","message":"#.utf8)
        bytes.appendJSONString(message)
    }

    mutating func add(_ key: String, _ value: JSONValue) {
        bytes.append(UInt8(ascii: ","))
        bytes.appendJSONString(key)
        bytes.append(UInt8(ascii: ":"))
        value.append(to: &bytes)
    }

    /// The whole line, with its end.
    consuming func ended() -> [UInt8] {
        bytes.append(contentsOf: "}\n".utf8)
        return bytes
    }
}
