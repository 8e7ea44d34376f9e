/// Why a text is not the JSON that is read here, and where.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, without the place.
    public var message: String
    /// Bytes before the fault.
    public var offset: Int
    /// Both count from 1; a column is a byte of its line.
    public var line, column: Int

    public init(_ message: String, offset: Int = 0, line: Int = 1, column: Int = 1) {
        self.message = message
        self.offset = offset
        self.line = line
        self.column = column
    }

    public var description: String { "line \(line), column \(column): \(message)" }
}
