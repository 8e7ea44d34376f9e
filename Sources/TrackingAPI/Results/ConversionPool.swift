import Dispatch
import HTTPServer
import Jobs

/// The threads that make results in other forms while they are sent, look through long ones for what is wanted, or read
/// what is sent out of a bucket: not the server's, on which one such body would hold up every other connection.
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

    /// - Parameter base: makes the body; is to ask its argument now and then whether that is wanted still.
    /// - Throws: 503 where too many are being sent.
    func body(
        for tenant: TenantID, base: (_ isWanted: @escaping @Sendable () -> Bool) throws -> any HTTPBodyStream
    ) throws -> PooledBody {
        guard let place = bodies.place(for: tenant) else {
            throw Problem(.unavailable, "Too many results and videos are being sent now. Try again.").retryAfter(1)
        }
        return try PooledBody(self, place, base: base)
    }

    /// All that was submitted and is not done.
    var unfinished: DispatchGroup { pool.unfinished }

    /// Makes a piece, or looks for one, when its turn comes.
    func submit(_ tenant: TenantID, _ work: @escaping TurnPool.Work) { pool.submit(tenant, work) }
}
