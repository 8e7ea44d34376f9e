import HTTPServer
import Jobs
import Synchronization

/// The text that is in memory for all requests together: fields of forms and JSON bodies, and long answers. Files go to
/// the disk as they come; text is held to the end of its request, and an answer until it is sent, which a client may put
/// off.
final class TextMemory: Sendable {
    private let limit: Int
    private let held = Mutex<[TenantID: Int]>([:])

    /// - Parameter limit: bytes; what ordinary requests have does not count (``HeldText``).
    init(limit: Int = APILimits.allTextBytes) { self.limit = limit }

    /// Bytes that are held now.
    var count: Int { held.withLock { $0.values.reduce(0, +) } }

    /// Whether more of the tenant's may come.
    func hasRoom(for tenant: TenantID) -> Bool {
        held.withLock { held in
            held.values.reduce(0, +) < limit && held[tenant, default: 0] < TenantShare.of(limit, for: tenant)
        }
    }

    /// False where that would be more than there may be, or than the tenant's share.
    fileprivate func take(_ bytes: Int, of tenant: TenantID) -> Bool {
        held.withLock { held in
            guard held.values.reduce(bytes, +) <= limit,
                held[tenant, default: 0] + bytes <= TenantShare.of(limit, for: tenant)
            else { return false }
            held[tenant, default: 0] += bytes
            return true
        }
    }

    /// Also more than there may be.
    fileprivate func takeAnyway(_ bytes: Int, of tenant: TenantID) {
        held.withLock { $0[tenant, default: 0] += bytes }
    }

    fileprivate func give(_ bytes: Int, of tenant: TenantID) {
        held.withLock { held in
            let left = held[tenant, default: 0] - bytes
            held[tenant] = left > 0 ? left : nil
        }
    }
}

/// The text of one request, or of one answer; it counts until this is gone.
final class HeldText: Sendable {
    private struct Bytes {
        /// What has come.
        var here = 0
        /// What is taken from the common memory: ``here`` or what was announced, whichever is more.
        var taken = 0
    }

    private let memory: TextMemory
    private let tenant: TenantID
    private let bytes = Mutex(Bytes())

    init(_ memory: TextMemory, tenant: TenantID) {
        self.memory = memory
        self.tenant = tenant
    }

    /// Of text that is there already, and cannot be refused.
    convenience init(_ memory: TextMemory, tenant: TenantID, keeping count: Int) {
        self.init(memory, tenant: tenant)
        bytes.withLock { $0 = Bytes(here: count, taken: count) }
        memory.takeAnyway(Self.counted(count), of: tenant)
    }

    deinit {
        let counted = bytes.withLock { Self.counted($0.taken) }
        if counted > 0 { memory.give(counted, of: tenant) }
    }

    /// Takes the memory of a body that is text as a whole and tells its length, so that of many at once some come to their
    /// end, rather than all to half of it.
    ///
    /// - Throws: as ``grow(by:)``.
    func announce(_ count: Int64?) throws(Problem) {
        guard let count, count > 0 else { return }
        try bytes.withLock { bytes throws(Problem) in try take(Int(clamping: count), &bytes) }
    }

    /// To be called before more is kept.
    ///
    /// - Throws: 413 where the request has more text than it may, 503 where all requests together have.
    func grow(by count: Int) throws(Problem) {
        try bytes.withLock { bytes throws(Problem) in
            try take(bytes.here + count, &bytes)
            bytes.here += count
        }
    }

    private func take(_ count: Int, _ bytes: inout Bytes) throws(Problem) {
        guard count <= APILimits.textBytes else {
            throw Problem(
                .tooLarge, "The text fields of a request may have at most \(APILimits.textBytes) bytes together.")
        }
        let more = Self.counted(count) - Self.counted(bytes.taken)
        guard more <= 0 || memory.take(more, of: tenant) else {
            throw Problem(.unavailable, "Too much text of other requests is in memory. Try again.").retryAfter(1)
        }
        bytes.taken = max(bytes.taken, count)
    }

    /// What ordinary requests have is always taken: those who hold long texts keep nobody else out.
    private static func counted(_ bytes: Int) -> Int { max(0, bytes - APILimits.ordinaryTextBytes) }
}
