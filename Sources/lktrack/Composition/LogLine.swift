import Foundation
import Jobs
import Logging

/// One entry of the log: a JSON object on a line. There is one for every request, so it is written as it comes instead
/// of put together first.
struct LogLine {
    private static let usualBytes = 512

    private var bytes: [UInt8] = []

    /// What follows the time, which many lines have alike.
    struct Kind {
        fileprivate let bytes: [UInt8]

        init(label: String, level: Logger.Level, message: String) {
            var bytes = Array(#"","level":"\#(level.rawValue)","logger":"#.utf8)
            bytes.appendJSONString(label)
            bytes.append(contentsOf: #","message":"#.utf8)
            bytes.appendJSONString(message)
            self.bytes = bytes
        }
    }

    /// An entry of this moment.
    init(_ kind: Kind) {
        bytes.reserveCapacity(Self.usualBytes)
        bytes.append(contentsOf: #"{"time":""#.utf8)
        RFC3339.append(Date(), to: &bytes)
        bytes.append(contentsOf: kind.bytes)
    }

    mutating func add(_ key: String, _ value: JSONValue) {
        bytes.append(UInt8(ascii: ","))
        bytes.appendJSONString(key)
        bytes.append(UInt8(ascii: ":"))
        value.append(to: &bytes)
    }

    // The keys of these hold nothing that JSON escapes.

    mutating func add(_ key: StaticString, _ text: String) {
        begin(key)
        bytes.appendJSONString(text)
    }

    mutating func add(_ key: StaticString, _ number: Int64) {
        begin(key)
        bytes.appendInteger(number)
    }

    mutating func add(_ key: StaticString, _ number: Double) {
        begin(key)
        bytes.appendNumber(number)
    }

    mutating func add(_ key: StaticString, _ flag: Bool) {
        begin(key)
        bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    }

    private mutating func begin(_ key: StaticString) {
        bytes.append(contentsOf: ",\"".utf8)
        bytes.append(contentsOf: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
        bytes.append(contentsOf: "\":".utf8)
    }

    /// The whole line, with its end.
    consuming func ended() -> [UInt8] {
        bytes.append(contentsOf: "}\n".utf8)
        return bytes
    }
}
