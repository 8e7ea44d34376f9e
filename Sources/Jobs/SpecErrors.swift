/// One thing that is wrong with a spec.
public struct SpecProblem: Hashable, Sendable {
    /// Where: a JSON pointer in its URI fragment form (RFC 6901 §6), `#/targets/0/box`.
    public var pointer: String
    /// What is wrong and what would be right, for a person.
    public var detail: String

    public init(pointer: String, detail: String) {
        self.pointer = pointer
        self.detail = detail
    }
}

/// Everything that is wrong with a spec (up to ``SpecLimits/problems``), in the order of the text; never empty.
public struct SpecErrors: Error, Hashable, Sendable, CustomStringConvertible {
    public var problems: [SpecProblem]

    public init(_ problems: [SpecProblem]) { self.problems = problems }

    /// The `errors` array of a problem document.
    public var json: JSONValue {
        .array(problems.map { ["pointer": .string($0.pointer), "detail": .string($0.detail)] })
    }

    /// A line for each problem.
    public var description: String {
        problems.map { "\($0.pointer): \($0.detail)" }.joined(separator: "\n")
    }
}

/// A place in a JSON text. Its own text is made only where it is asked for: a spec has a hundred thousand places, and
/// mostly no problem.
indirect enum JSONPointer: Sendable {
    case root
    case member(of: JSONPointer, String)
    case element(of: JSONPointer, Int)

    func appending(_ token: String) -> JSONPointer { .member(of: self, token) }

    func appending(_ index: Int) -> JSONPointer { .element(of: self, index) }

    /// In its URI fragment form (RFC 6901 §6). Names that no member has, being too long, are cut.
    var text: String {
        switch self {
        case .root: "#"
        case .member(let parent, let token): parent.text + "/" + Self.escaped(token.abbreviated())
        case .element(let parent, let index): parent.text + "/\(index)"
        }
    }

    private static func escaped(_ token: String) -> String {
        var escaped: [UInt8] = []
        for byte in token.utf8 {
            switch byte {
            case UInt8(ascii: "~"): escaped.append("~0")
            case UInt8(ascii: "/"): escaped.append("~1")
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                escaped.append(byte)
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                escaped += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}

/// Collects problems while a spec is read. Used by one thread.
final class SpecProblems {
    private(set) var list: [SpecProblem] = []

    /// Problems after the first ``SpecLimits/problems`` are dropped: they help nobody.
    func add(_ pointer: JSONPointer, _ detail: String) {
        guard list.count < SpecLimits.problems else { return }
        list.append(SpecProblem(pointer: pointer.text, detail: detail))
    }

    /// Throws where there are any.
    func check() throws(SpecErrors) {
        if !list.isEmpty { throw SpecErrors(list) }
    }
}
