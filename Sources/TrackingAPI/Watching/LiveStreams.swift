import Jobs

/// The connections that are held by clients that wait: event streams, results that are followed, and held answers. No
/// tenant has more than its share of them, and all together leave some for requests that are answered at once.
final class LiveStreams: Sendable {
    private let limit: ConcurrencyLimit

    init(_ configuration: APIConfiguration) {
        limit = ConcurrencyLimit(configuration.streams, share: configuration.streamsPerTenant)
    }

    /// To be kept for as long as the connection is held; `nil` where it must not be.
    func place(for tenant: TenantID) -> ConcurrencyLimit.Place? { limit.place(for: tenant) }

    /// The same for a client that cannot be answered otherwise.
    ///
    /// - Throws: 429 where the tenant has its share, 503 where there is no place for anybody.
    func requirePlace(for tenant: TenantID) throws(Problem) -> ConcurrencyLimit.Place {
        if let place = limit.place(for: tenant) { return place }
        let share = limit.share(of: tenant)
        guard tenant != .anonymous, limit.count(of: tenant) >= share else {
            throw Problem(.unavailable, "Too many clients are waiting for events now. Try again.").retryAfter(5)
        }
        throw Problem(
            .tooManyStreams,
            "\(share) event streams, followed results and held answers are open. Close some, or try later."
        ).overQuota(QuotaPolicy.openStreams, share).retryAfter(5)
    }
}
