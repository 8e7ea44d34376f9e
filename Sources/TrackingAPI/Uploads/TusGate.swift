import HTTPServer

/// What tus asks of every request and answer, whichever route it is for.
struct TusGate: Sendable {
    let largestUpload: Int64

    /// Whether a request is one of tus's.
    static func covers(_ request: HTTPRequest) -> Bool {
        // What is read out of an upload, such as its frames, is no part of the protocol.
        request.path.starts(with: ["v1", "uploads"]) && request.path.count <= 3
    }

    /// The same of a target that was not taken apart, because something is wrong with its request.
    static func covers(target: String) -> Bool {
        guard target.hasPrefix(UploadRoutes.path) else { return false }
        let rest = target.dropFirst(UploadRoutes.path.count).prefix { $0 != "?" }
        return rest.isEmpty || rest.first == "/" && !rest.dropFirst().contains("/")
    }

    /// - Parameter router: tells what becomes of the request once it is known to speak this version, and of one that
    ///   would not be answered in any.
    func disposition(of request: HTTPRequest, _ router: Router) -> HTTPDisposition {
        let request = Self.withItsMethod(request)
        let fields = fields(for: request)
        let refusal = router.hasRoute(for: request) ? Self.refusal(request) : nil
        let disposition = refusal.map { .respond($0) } ?? router.disposition(of: request)
        return disposition.mappingResponses { response in
            var response = response
            for (name, value) in fields { response.fields[name] = value }
            return response
        }
    }

    /// A client that cannot send PATCH or DELETE says so in a field of a POST.
    private static func withItsMethod(_ request: HTTPRequest) -> HTTPRequest {
        guard request.method == "POST", let method = request.fields["X-HTTP-Method-Override"] else { return request }
        return request.asked(by: method)
    }

    /// A plain GET is no request of tus's, and OPTIONS is how a client learns what is spoken here.
    private static func refusal(_ request: HTTPRequest) -> HTTPResponse? {
        guard request.method != "OPTIONS", request.method != "GET" || request.isHead else { return nil }
        let versions = request.fields.all("Tus-Resumable")
        guard versions != [Tus.version] else { return nil }
        let given = versions.isEmpty ? "is missing" : "is \(ClientText.quoted(versions.joined(separator: ", ")))"
        let problem = Problem(
            .preconditionFailed, "Tus-Resumable \(given); version \(Tus.version) is spoken here.",
            fields: HTTPFields([("Tus-Version", Tus.version)]))
        return Router.response(to: problem, request, route: nil)
    }

    private func fields(for request: HTTPRequest) -> [(name: String, value: String)] {
        let version = [("Tus-Resumable", Tus.version)]
        guard request.method == "OPTIONS" else { return version }
        return version + [
            ("Tus-Version", Tus.version), ("Tus-Extension", Tus.extensions.joined(separator: ",")),
            ("Tus-Max-Size", String(largestUpload)),
            ("Tus-Checksum-Algorithm", UploadChecksum.Algorithm.allCases.map(\.rawValue).joined(separator: ",")),
        ]
    }
}
