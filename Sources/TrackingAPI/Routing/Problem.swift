import HTTPServer
import Jobs

/// An error as the client sees it: a problem document (RFC 9457 §3). The one error type of this module.
public struct Problem: Error, Sendable {
    /// An open set; the known ones are the constants in `Problem+Kind.swift`.
    public struct Kind: Hashable, Sendable {
        /// The last part of the document's `type`: `invalid-spec`.
        public let name: String
        public let status: Int
        public let title: String

        public init(_ name: String, _ status: Int, _ title: String) {
            self.name = name
            self.status = status
            self.title = title
        }
    }

    /// One thing that was wrong with the request's content.
    public struct FieldError: Hashable, Sendable {
        /// A JSON pointer (RFC 6901) into the spec, or into the form or the query as an object: `#/targets/0/box`,
        /// `#/video`, `#/limit`.
        public var pointer: String
        public var detail: String

        public init(pointer: String, detail: String) {
            self.pointer = pointer
            self.detail = detail
        }

        var json: JSONValue { ["pointer": .string(pointer), "detail": .string(detail)] }
    }

    public var kind: Kind
    /// A sentence for the client: what was wrong, where, what to do. No internals.
    public var detail: String
    public var errors: [FieldError]
    /// `Allow`, `Retry-After` …
    public var fields: HTTPFields
    /// For the log only.
    public var cause: String?
    /// Members beside those of RFC 9457 and `errors`.
    var extensions: [(name: String, value: JSONValue)] = []

    public init(
        _ kind: Kind, _ detail: String, errors: [FieldError] = [], fields: HTTPFields = HTTPFields(),
        cause: String? = nil
    ) {
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.fields = fields
        self.cause = cause
    }

    /// A problem with one field: its detail is the problem's.
    static func at(_ pointer: String, _ detail: String, as kind: Kind = .invalid) -> Problem {
        Problem(kind, detail, errors: [FieldError(pointer: pointer, detail: detail)])
    }

    /// Seconds to wait in `Retry-After`.
    func retryAfter(_ seconds: Int) -> Problem {
        var problem = self
        problem.fields["Retry-After"] = String(seconds)
        return problem
    }

    /// For a tenant that has as much of something as it may have at a time.
    ///
    /// - Parameters:
    ///   - policy: the quota's name.
    ///   - left: less than was asked for.
    func overQuota(_ policy: String, _ limit: Int?, left: Int = 0) -> Problem {
        var problem = self
        if let limit {
            problem.fields[QuotaPolicy.field] = "\"\(policy)\";q=\(limit)"
            problem.fields[QuotaPolicy.usageField] = "\"\(policy)\";r=\(left)"
        }
        problem.extensions = [("violated-policies", [.string(policy)])]
        return problem
    }

    func response(requestID: String) -> HTTPResponse {
        var document = JSONObject([
            ("type", .string("urn:lktrack:problem:\(kind.name)")),
            ("title", .string(kind.title)),
            ("status", .int(kind.status)),
            ("detail", .string(detail)),
            ("instance", .string(requestID)),
        ])
        if !errors.isEmpty { document["errors"] = .array(errors.map(\.json)) }
        for (name, value) in extensions { document[name] = value }
        var response = HTTPResponse(status: kind.status, fields: fields)
        response.fields["Content-Type"] = "application/problem+json"
        response.fields["Cache-Control"] = "no-store"
        response.body = .bytes(JSONValue.object(document).encoded())
        response.logNote = cause
        return response
    }
}
