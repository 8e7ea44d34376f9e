import HTTPServer
import Jobs

/// A request that has found its route.
struct RequestContext: Sendable {
    let request: HTTPRequest
    /// Whose jobs it may see. Goes into every call of the store.
    let tenant: TenantID
    /// The id of the key that it came with, where there was one.
    let key: String?
    /// The values of the pattern's `{names}`, in order.
    let parameters: [(name: String, value: String)]

    /// The job that the path names. A text that can be no id names no job.
    func jobID() throws(Problem) -> JobID {
        guard let id = parameter("id").flatMap({ JobID($0) }) else { throw Self.noSuchJob }
        return id
    }

    func parameter(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// The same whether there is none, or it belongs to another tenant.
    static var noSuchJob: Problem { Problem(.notFound, "There is no job with this id.") }

    /// A query parameter that may be given once.
    func single(_ name: String) throws(Problem) -> String? {
        let values = request.query.filter { $0.name == name }
        guard values.count <= 1 else {
            throw Problem.at(ClientText.pointer(name), "The query parameter \(name) was given \(values.count) times.")
        }
        return values.first?.value
    }

    /// A whole number in the query, in decimal digits.
    func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = try single(name) else { return nil }
        let isDecimal = !text.isEmpty && text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard isDecimal, let value = Int(text), range.contains(value) else {
            throw Problem.at(
                ClientText.pointer(name),
                range.upperBound == Int.max
                    ? "\(name) must be a whole number of at least \(range.lowerBound)."
                    : "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return value
    }

    /// `true` or `false` in the query; absent is `false`.
    func flag(_ name: String) throws(Problem) -> Bool {
        switch try single(name) {
        case nil, "false": return false
        case "true": return true
        default: throw Problem.at(ClientText.pointer(name), "\(name) must be true or false.")
        }
    }
}
