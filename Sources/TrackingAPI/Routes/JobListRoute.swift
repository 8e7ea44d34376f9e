import Foundation
import HTTPServer
import Jobs

/// `GET /v1/jobs`: newest first, page by page.
struct JobListRoute: Sendable {
    let services: Services

    /// A parameter that starts with it filters by a label: `label.camera=7`.
    static let labelPrefix = "label."
    static let parameters = ["status", labelPrefix, "limit", "cursor"]

    func list(_ context: RequestContext) throws -> HTTPResponse {
        let query = try Self.query(context)
        let page = try services.store.jobs(query)
        var fields: [(name: String, value: String)] = []
        if page.hasMore, let last = page.jobs.last {
            fields.append(("Link", "<\(Self.next(context.request, after: last.id))>; rel=\"next\""))
        }
        let text = Self.text(of: page.jobs)
        try services.requireRoom(for: text.count, of: context.tenant)
        return .json(200, services.body(text, to: context.tenant), fields: fields)
    }

    /// Written one by one, so that no two of them are in memory but as text.
    private static func text(of jobs: [Job]) -> [UInt8] {
        var text = Array(#"{"jobs":["#.utf8)
        for (index, job) in jobs.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text += JobWriter.encoded(job)
        }
        text += Array("]}".utf8)
        return text
    }

    private static func query(_ context: RequestContext) throws(Problem) -> JobQuery {
        var query = JobQuery(tenant: context.tenant)
        if let text = try context.single("status") {
            guard let status = JobStatus(rawValue: text) else {
                let known = JobStatus.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem.at("#/status", "status must be one of \(known), not \(ClientText.quoted(text)).")
            }
            query.status = status
        }
        for (name, value) in context.request.query where name.hasPrefix(labelPrefix) {
            let label = String(name.dropFirst(labelPrefix.count))
            guard !label.isEmpty, query.labels[label] == nil else {
                throw Problem.at(
                    ClientText.pointer(name), "\(ClientText.quoted(name)) must name a label, each label once.")
            }
            // No job has more, and each is looked for in the store.
            guard query.labels.count < SpecLimits.labels else {
                throw Problem.at(
                    ClientText.pointer(name), "Jobs have up to \(SpecLimits.labels) labels; more are asked for.")
            }
            query.labels[label] = value
        }
        query.limit = try context.integer("limit", in: APILimits.pageSize) ?? APILimits.defaultPageSize
        if let text = try context.single("cursor") {
            guard let id = Cursor.id(text) else {
                throw Problem.at("#/cursor", "cursor must be taken from the Link of the page before.")
            }
            query.before = id
        }
        return query
    }

    /// The same request with another cursor (RFC 8288).
    private static func next(_ request: HTTPRequest, after id: JobID) -> String {
        let kept = request.query.filter { $0.name != "cursor" } + [("cursor", Cursor.text(id))]
        let pairs = kept.map { "\(ClientText.percentEncoded($0.name))=\(ClientText.percentEncoded($0.value))" }
        return SubmitRoute.path + "?" + pairs.joined(separator: "&")
    }

}

/// The place in a list, as the client gets it. It is opaque, so that what is in it may change.
package enum Cursor {
    private static let version = "1:"

    package static func text(_ id: JobID) -> String {
        Data((version + id.description).utf8).base64EncodedString()
            .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }

    package static func id(_ text: String) -> JobID? {
        let standard = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        let padded = standard + String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: padded) else { return nil }
        let decoded = String(decoding: data, as: UTF8.self)
        guard decoded.hasPrefix(version) else { return nil }
        return JobID(decoded.dropFirst(version.count))
    }
}
