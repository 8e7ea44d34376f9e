import Jobs

/// Who sent a request.
struct Caller: Hashable, Sendable {
    /// Whose jobs it may see.
    var tenant: TenantID
    /// The key's id, where there was one.
    var key: String?
    /// The key's own rate, where it has one.
    var rate: RequestRate?

    static let anonymous = Caller(tenant: .anonymous)
}
