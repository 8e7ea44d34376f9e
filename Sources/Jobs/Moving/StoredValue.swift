/// A value of a stored row, in a form that every store can give and take.
package enum StoredValue: Hashable, Sendable {
    case null
    /// Also a truth value, as 0 or 1.
    case integer(Int64)
    case real(Double)
    /// UTF-8 as it is stored: texts that look alike are not the same.
    case text([UInt8])
    case bytes([UInt8])

    package static func text(_ text: String) -> StoredValue { .text(Array(text.utf8)) }

    /// Of a text that is UTF-8.
    package var text: String? {
        guard case .text(let bytes) = self else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// For a person: of a text, the text.
    package var shown: String {
        switch self {
        case .null: "NULL"
        case .integer(let value): String(value)
        case .real(let value): String(value)
        case .text(let bytes): String(decoding: bytes, as: UTF8.self)
        case .bytes(let bytes): "\(bytes.count) bytes"
        }
    }
}

/// The values of a row, in the order of its table's columns.
package typealias StoredRow = [StoredValue]

/// The values of a row's key. They sort as both databases sort their keys: numbers by their size, texts by their bytes.
package struct StoredKey: Hashable, Sendable, Comparable {
    package let values: [StoredValue]

    package init(_ values: some Sequence<StoredValue>) { self.values = Array(values) }

    package static func < (a: StoredKey, b: StoredKey) -> Bool {
        for (left, right) in zip(a.values, b.values) where left != right {
            switch (left, right) {
            case (.integer(let left), .integer(let right)): return left < right
            case (.text(let left), .text(let right)): return left.lexicographicallyPrecedes(right)
            default: preconditionFailure("keys are texts and whole numbers, and never NULL")
            }
        }
        return false
    }

    /// For a person.
    package var shown: String { values.map(\.shown).joined(separator: ", ") }
}
