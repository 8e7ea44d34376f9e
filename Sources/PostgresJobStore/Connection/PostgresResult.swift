import CPostgres
import Foundation
import Jobs

/// A value of a statement's parameter.
enum PostgresValue {
    case null
    case integer(Int64)
    case number(Double)
    case boolean(Bool)
    /// Text, which may not hold NUL.
    case text(String)
    case bytes([UInt8])
    /// In PostgreSQL's own words: uuid, arrays.
    case literal(String)

    static func optional(_ value: Int64?) -> PostgresValue { value.map { .integer($0) } ?? .null }
    static func optional(_ value: Int?) -> PostgresValue { optional(value.map { Int64($0) }) }
    static func optional(_ value: String?) -> PostgresValue { value.map { .text($0) } ?? .null }
    static func integer(_ value: Int) -> PostgresValue { .integer(Int64(value)) }
    static func id(_ id: JobID) -> PostgresValue { .literal(id.description) }
    static func id(_ id: UploadID) -> PostgresValue { .literal(id.description) }
    static func id(_ id: DeliveryID) -> PostgresValue { .literal(id.description) }

    /// An array of text or of ids.
    static func array(_ texts: some Sequence<String>) -> PostgresValue {
        let quoted = texts.map { "\"" + $0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"" }
        return .literal("{\(quoted.joined(separator: ","))}")
    }

    /// The bytes to send, and whether they are in binary form; `nil` for NULL. Text in binary form is itself: the server
    /// sees its length, and refuses a NUL in it rather than taking it for the end.
    fileprivate var encoded: (bytes: [UInt8], isBinary: Bool)? {
        switch self {
        case .null: nil
        case .integer(let value): (Array(String(value).utf8), false)
        case .number(let value): (Array(String(value).utf8), false)
        case .boolean(let value): (Array((value ? "t" : "f").utf8), false)
        case .text(let value): (Array(value.utf8), true)
        case .bytes(let value): (value, true)
        case .literal(let value): (Array(value.utf8), false)
        }
    }
}

/// Parameters as libpq takes them.
struct PostgresParameters {
    private var bytes: [UInt8] = []
    private var offsets: [Int?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    init(_ values: [PostgresValue]) {
        for value in values {
            guard let (encoded, isBinary) = value.encoded else {
                offsets.append(nil)
                lengths.append(0)
                formats.append(0)
                continue
            }
            offsets.append(bytes.count)
            lengths.append(Int32(encoded.count))
            formats.append(isBinary ? 1 : 0)
            bytes += encoded
            bytes.append(0)
        }
    }

    func withPointers<R>(
        _ body: ([UnsafePointer<CChar>?], _ lengths: [Int32], _ formats: [Int32]) -> R
    ) -> R {
        bytes.withUnsafeBytes { buffer in
            let pointers = offsets.map { offset in
                offset.flatMap { buffer.baseAddress?.advanced(by: $0).assumingMemoryBound(to: CChar.self) }
            }
            return body(pointers, lengths, formats)
        }
    }
}

/// What a statement gave. Freed with the last reference; used by one thread.
package final class PostgresResult {
    private let handle: OpaquePointer
    package let count: Int

    init(_ handle: OpaquePointer) {
        self.handle = handle
        count = Int(lkpq_row_count(handle))
    }

    deinit { lkpq_clear(handle) }

    /// Rows that an UPDATE, INSERT or DELETE touched.
    var changed: Int { Int(String(cString: lkpq_command_rows(handle))) ?? 0 }

    package var rows: [PostgresRow] { (0..<count).map { PostgresRow(result: self, row: Int32($0)) } }
    package var first: PostgresRow? { count > 0 ? PostgresRow(result: self, row: 0) : nil }

    fileprivate func text(_ row: Int32, _ column: Int) -> String? {
        guard lkpq_is_null(handle, row, Int32(column)) == 0, let value = lkpq_value(handle, row, Int32(column)) else {
            return nil
        }
        let length = Int(lkpq_length(handle, row, Int32(column)))
        return String(
            decoding: UnsafeRawBufferPointer(start: value, count: length), as: UTF8.self)
    }
}

/// A row of a result, read by column. What is NULL or has another form than is asked for reads as nothing, zero or false.
package struct PostgresRow {
    fileprivate let result: PostgresResult
    fileprivate let row: Int32

    package func optionalText(_ column: Int) -> String? { result.text(row, column) }
    package func text(_ column: Int) -> String { result.text(row, column) ?? "" }
    func optionalInteger(_ column: Int) -> Int64? { result.text(row, column).flatMap { Int64($0) } }
    package func integer(_ column: Int) -> Int64 { optionalInteger(column) ?? 0 }
    func optionalInt(_ column: Int) -> Int? { optionalInteger(column).flatMap { Int(exactly: $0) } }
    package func int(_ column: Int) -> Int { optionalInt(column) ?? 0 }
    func optionalNumber(_ column: Int) -> Double? { result.text(row, column).flatMap { Double($0) } }
    func number(_ column: Int) -> Double { optionalNumber(column) ?? 0 }
    package func boolean(_ column: Int) -> Bool { result.text(row, column) == "t" }
    func optionalDate(_ column: Int) -> Date? { optionalInteger(column).map { Date(unixMilliseconds: $0) } }
    func date(_ column: Int) -> Date { Date(unixMilliseconds: integer(column)) }

    /// Of type bytea, as `\x` and hexadecimal digits (bytea_output = 'hex').
    func bytes(_ column: Int) -> [UInt8] {
        guard let text = result.text(row, column), text.hasPrefix("\\x") else { return [] }
        return Hexadecimal.bytes(text.dropFirst(2)) ?? []
    }
}
