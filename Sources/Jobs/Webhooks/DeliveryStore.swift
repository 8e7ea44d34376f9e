import Foundation

/// The right to send a message for a while, as a ``Lease`` is for a job.
public struct DeliveryLease: Hashable, Sendable {
    public var delivery: DeliveryID
    /// 128 random bits, hexadecimal; another one for each claim.
    public var token: String

    public init(delivery: DeliveryID, token: String) {
        self.delivery = delivery
        self.token = token
    }
}

/// A message that a sender has taken, and its right to send it.
public struct ClaimedDelivery: Sendable {
    public var message: DeliveryMessage
    /// Whose job has ended.
    public var tenant: TenantID
    /// The number of the attempt that is to be made; counts from 1.
    public var attempt: Int
    public var lease: DeliveryLease

    public init(
        message: DeliveryMessage, tenant: TenantID = .anonymous, attempt: Int, lease: DeliveryLease
    ) {
        self.message = message
        self.tenant = tenant
        self.attempt = attempt
        self.lease = lease
    }
}

/// Where it is kept who has to be called back, and what was tried.
///
/// The store makes a delivery by itself, from ``DeliveryMessage/init(endOf:id:now:)``, in the transaction that ends its
/// job: whichever call of ``JobStore`` that is, and whatever happens right after it. Deliveries go with their job.
///
/// Every implementation passes the contract suite in `Tests/JobStoreContract`.
public protocol DeliveryStore: Sendable {
    /// The deliveries of a job, the first first. Empty where there are none, or the job belongs to another tenant.
    func deliveries(of job: JobID, tenant: TenantID) throws -> [Delivery]

    /// Takes a pending delivery that is due, so that nobody else gets it before the lease is over: one of a process that
    /// died is due again then.
    ///
    /// Tenants take turns: the one that was served longest ago goes first. Of its deliveries the one that has been due
    /// for the longest is taken. What waits for a busy host or tenant makes a claim no longer.
    ///
    /// - Parameters:
    ///   - hosts: those that nothing is to be sent to now.
    ///   - tenants: those that nothing is to be sent for now.
    func claimDelivery(
        leaseSeconds: Double, exceptHosts hosts: Set<String>, exceptTenants tenants: Set<TenantID>
    ) throws -> ClaimedDelivery?

    /// Writes down what came of an attempt and what follows from it. `false`, and nothing is changed, where the lease is
    /// lost or the job is gone.
    func record(_ attempt: DeliveryAttempt, then state: DeliveryState, lease: DeliveryLease) throws -> Bool

    /// Gives a delivery back untried (graceful stop): it is due at once, and the attempt does not count. `false` where
    /// the lease is lost.
    func release(_ lease: DeliveryLease) throws -> Bool
}

extension DeliveryStore {
    /// The same for any tenant.
    public func claimDelivery(leaseSeconds: Double, exceptHosts hosts: Set<String>) throws -> ClaimedDelivery? {
        try claimDelivery(leaseSeconds: leaseSeconds, exceptHosts: hosts, exceptTenants: [])
    }
}
