import Jobs
import Synchronization

/// Which named submissions are on their way in, here: a second one with the same name is turned away before its body is
/// read. Nothing of it is stored, so a crash leaves no name taken. Where two processes take the same submission at the
/// same time, the store decides.
final class SubmissionFlights: Sendable {
    fileprivate struct Name: Hashable, Sendable {
        var tenant: TenantID
        var key: IdempotencyKey
    }

    private let names = Mutex<Set<Name>>([])

    /// - Returns: what holds the name until it is ended, or nobody refers to it any more.
    /// - Throws: 409 where there is one already.
    func begin(_ key: IdempotencyKey, tenant: TenantID) throws(Problem) -> SubmissionFlight {
        let name = Name(tenant: tenant, key: key)
        guard names.withLock({ $0.insert(name).inserted }) else {
            throw Problem(
                .keyInFlight, "A request with this Idempotency-Key is being worked on. Send it again to get its answer."
            ).retryAfter(1)
        }
        return SubmissionFlight(name, self)
    }

    fileprivate func end(_ name: Name) { names.withLock { _ = $0.remove(name) } }
}

/// One submission on its way in.
final class SubmissionFlight: Sendable {
    private let name: SubmissionFlights.Name
    private let flights: SubmissionFlights
    private let hasEnded = Atomic(false)

    fileprivate init(_ name: SubmissionFlights.Name, _ flights: SubmissionFlights) {
        self.name = name
        self.flights = flights
    }

    deinit { end() }

    /// Lets go of the name.
    func end() {
        if !hasEnded.exchange(true, ordering: .acquiringAndReleasing) { flights.end(name) }
    }
}
