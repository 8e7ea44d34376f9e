import Jobs
import Synchronization

/// What each tenant's requests are bringing and no job or upload has yet: it counts for the quota, so that requests that
/// come together do not pass it together. Knows this process's requests only.
final class ArrivingBytes: Sendable {
    private let bytes = Mutex<[TenantID: Int64]>([:])

    /// - Returns: what is on its way before these, for whoever comes first to go first.
    func add(_ count: Int64, of tenant: TenantID) -> Int64 {
        bytes.withLock { bytes in
            let before = bytes[tenant, default: 0]
            bytes[tenant] = before + count
            return before
        }
    }

    func remove(_ count: Int64, of tenant: TenantID) {
        bytes.withLock { bytes in
            let left = bytes[tenant, default: 0] - count
            bytes[tenant] = left > 0 ? left : nil
        }
    }
}
