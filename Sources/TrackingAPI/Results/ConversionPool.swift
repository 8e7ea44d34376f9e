import Jobs

/// The threads that make results in other forms while they are sent, and look through long ones for what is wanted: not
/// the server's, on which one such body would hold up every other connection.
final class ConversionPool: Sendable {
    private let pool: TurnPool
    private let bodies: ConcurrencyLimit

    /// - Parameters:
    ///   - threads: pieces that are made at a time.
    ///   - bodies: that are being sent.
    init(threads: Int, bodies: Int) {
        pool = TurnPool(threads: threads)
        self.bodies = ConcurrencyLimit(bodies)
    }

    /// A body's place among those that are sent; `nil` where there are too many.
    func place(for tenant: TenantID) -> ConcurrencyLimit.Place? { bodies.place(for: tenant) }

    /// Makes a piece, or looks for one, when its turn comes.
    func submit(_ tenant: TenantID, _ work: @escaping TurnPool.Work) { pool.submit(tenant, work) }
}
