import HTTPServer
import Jobs

/// The one place that tells whose request it is, and whether it may go on. Asked on the connection's thread, before a
/// body is read: it looks at nothing but memory.
struct AccessControl: Sendable {
    /// `nil`: everybody may come in.
    let keys: KeyRing?
    /// For those without a rate of their own. `nil`: as often as they like.
    let defaultRate: RequestRate?
    let environment: any Environment
    let limiter = RateLimiter()

    /// - Returns: who it is, and what the answer is to say of the rate.
    /// - Throws: 401 or 429.
    func admit(_ request: HTTPRequest, to pattern: String) throws(Problem) -> (Caller, RateVerdict?) {
        guard Self.isProtected(pattern) else { return (.anonymous, nil) }
        let caller = try keys?.caller(request.fields.all("Authorization")) ?? .anonymous
        guard let rate = caller.rate ?? defaultRate else { return (caller, nil) }
        let verdict = limiter.take(from: caller.key ?? "", rate, at: environment.now())
        guard verdict.isAllowed else { throw verdict.problem }
        return (caller, verdict)
    }

    /// Jobs and whatever belongs to them, but not the service's own pages: health, metrics, documents, the root.
    static func isProtected(_ pattern: String) -> Bool { pattern.hasPrefix("/v1/") }
}
