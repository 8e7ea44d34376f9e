import Foundation

/// What was measured: printed as it comes, and written as JSON in the end.
struct BenchReport {
    struct Line: Encodable {
        let part: String
        let name: String
        let minimum, median, maximum: Double
        let unit: String
        let target: String
    }

    struct Table: Encodable {
        let part: String
        let title: String
        let columns: [String]
        var rows: [Row] = []

        struct Row: Encodable {
            let name: String
            let values: [Double]
        }
    }

    private struct Document: Encodable {
        let opencv: String
        let repeats: Int
        let figures: [Line]
        let tables: [Table]
    }

    private static let nameWidth = 72
    private let repeats: Int
    private var part = ""
    private(set) var lines: [Line] = []
    private var tables: [Table] = []

    init(repeats: Int) { self.repeats = repeats }

    mutating func begin(_ part: BenchPart) {
        self.part = part.rawValue
        print("\n\(part.rawValue): \(part.summary)")
        print(Self.padded("what", Self.nameWidth) + "      min   median      max  target")
    }

    /// A figure, once for each repeat.
    mutating func add(_ name: String, _ values: [Double], unit: String, target: String) {
        let sorted = values.sorted()
        guard let low = sorted.first, let high = sorted.last else { return }
        let line = Line(
            part: part, name: name, minimum: low,
            median: (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2, maximum: high, unit: unit,
            target: target)
        lines.append(line)
        let numbers = [line.minimum, line.median, line.maximum].map { Self.aligned($0, 9) }.joined()
        print(Self.padded("\(name), \(unit)", Self.nameWidth) + numbers + "  " + target)
        fflush(nil)
    }

    /// Figures that belong side by side, such as those of each sequence.
    mutating func add(table title: String, columns: [String], rows: [(name: String, values: [Double])]) {
        tables.append(
            Table(
                part: part, title: title, columns: columns, rows: rows.map { .init(name: $0.name, values: $0.values) }))
        let widths = columns.map { max($0.count, 7) + 2 }
        let head = zip(columns, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }.joined()
        print("\n" + Self.padded(title, 28) + head)
        for row in rows {
            print(Self.padded(row.name, 28) + zip(row.values, widths).map { Self.aligned($0, $1) }.joined())
        }
        print("")
        fflush(nil)
    }

    /// Says why nothing was measured.
    mutating func skip(_ reason: String) { print("left out: \(reason)") }

    var json: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return try encoder.encode(
                Document(opencv: Peers.version, repeats: repeats, figures: lines, tables: tables))
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(width - text.count, 1))
    }

    /// Three places for small numbers, none for large ones.
    private static func aligned(_ value: Double, _ width: Int) -> String {
        let text = String(format: value.magnitude < 10 ? "%.3f" : value.magnitude < 1000 ? "%.1f" : "%.0f", value)
        return String(repeating: " ", count: max(width - text.count, 1)) + text
    }
}

/// A benchmark could not be made.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// How long things take.
enum Stopwatch {
    /// The processor time that this thread spends on a function, in seconds. (Everything that is compared in this
    /// process works on one thread, and what else runs on the machine should not count.)
    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = threadSeconds
        try body()
        return threadSeconds - start
    }

    private static var threadSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }

    /// The wall-clock time of a command, in seconds.
    static func seconds(_ executable: String, _ arguments: [String]) throws -> Double {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let start = ContinuousClock.now
        try process.run()
        process.waitUntilExit()
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        guard process.terminationStatus == 0 else {
            throw BenchError("\(executable) \(arguments.joined(separator: " ")) failed")
        }
        return elapsed
    }
}
