import Jobs
import Synchronization

/// What each tenant's requests are bringing and no job or upload has yet: it counts for the quota, so that requests that
/// come together do not pass it together. Knows this process's requests only.
final class ArrivingBytes: Sendable {
    private let bytes = Mutex<[TenantID: Int64]>([:])

    /// - Returns: what is on its way before these, for whoever comes first to go first.
    fileprivate func add(_ count: Int64, of tenant: TenantID) -> Int64 {
        bytes.withLock { bytes in
            let before = bytes[tenant, default: 0]
            bytes[tenant] = before + count
            return before
        }
    }

    fileprivate func remove(_ count: Int64, of tenant: TenantID) {
        guard count != 0 else { return }
        bytes.withLock { bytes in
            let left = bytes[tenant, default: 0] - count
            bytes[tenant] = left > 0 ? left : nil
        }
    }
}

/// What one request is bringing; it counts until this is gone, or says otherwise.
final class ArrivingShare: Sendable {
    private let arriving: ArrivingBytes
    private let tenant: TenantID
    private let bytes = Mutex<Int64>(0)

    init(_ arriving: ArrivingBytes, of tenant: TenantID) {
        self.arriving = arriving
        self.tenant = tenant
    }

    deinit { end() }

    var count: Int64 { bytes.withLock { $0 } }

    /// - Returns: what was on its way from the tenant before these, this request's included.
    func add(_ count: Int64) -> Int64 {
        bytes.withLock { $0 += count }
        return arriving.add(count, of: tenant)
    }

    /// Of these the store knows now, or they will not come.
    func remove(_ count: Int64) {
        let removed = bytes.withLock { bytes in
            let removed = min(count, bytes)
            bytes -= removed
            return removed
        }
        arriving.remove(removed, of: tenant)
    }

    func end() { remove(.max) }
}
