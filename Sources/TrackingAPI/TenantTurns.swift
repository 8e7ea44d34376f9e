import Jobs

/// How much of what all tenants share one of them may have, so that there is always some left for another.
enum TenantShare {
    /// - Returns: half of the limit, at least 1; all of it for the anonymous tenant, which is alone where it is served.
    static func of(_ limit: Int, for tenant: TenantID) -> Int { tenant == .anonymous ? limit : max(1, limit / 2) }
}

/// What waits to be run a few at a time. Tenants take turns, however much one of them has waiting, and each runs no more
/// than its share.
struct TenantTurns<Element> {
    /// None of them is `nil`: that is what a slice is left with of those that were taken.
    private var waiting: [TenantID: ArraySlice<Element?>] = [:]
    /// Of those that have something waiting, who is next.
    private var order: [TenantID] = []
    private var running: [TenantID: Int] = [:]

    /// Of all that wait.
    var count: Int { waiting.values.reduce(0) { $0 + $1.count } }

    func count(of tenant: TenantID) -> Int { waiting[tenant]?.count ?? 0 }

    mutating func add(_ element: Element, of tenant: TenantID) {
        if waiting[tenant] == nil { order.append(tenant) }
        waiting[tenant, default: []].append(element)
    }

    /// Takes what is next, if it may run; to be given back with ``ended(_:)``.
    ///
    /// - Parameter limit: of all that run.
    mutating func next(limit: Int) -> (element: Element, tenant: TenantID)? {
        guard running.values.reduce(0, +) < limit,
            let index = order.firstIndex(where: { running[$0, default: 0] < TenantShare.of(limit, for: $0) })
        else { return nil }
        let tenant = order.remove(at: index)
        guard let element = takeFirst(of: tenant) else { return nil }
        if waiting[tenant]?.isEmpty == true { waiting[tenant] = nil } else { order.append(tenant) }
        running[tenant, default: 0] += 1
        return (element, tenant)
    }

    /// Lets go of it: what stands before the start of a slice stays in its storage.
    private mutating func takeFirst(of tenant: TenantID) -> Element? {
        guard let index = waiting[tenant]?.indices.first else { return nil }
        let element = waiting[tenant]?[index].take()
        waiting[tenant]?.removeFirst()
        return element
    }

    /// One that was taken has run.
    mutating func ended(_ tenant: TenantID) {
        let left = running[tenant, default: 0] - 1
        running[tenant] = left > 0 ? left : nil
    }

    mutating func removeAll(where isForgotten: (Element) -> Bool) {
        for tenant in order { waiting[tenant]?.removeAll { $0.map(isForgotten) ?? true } }
        order.removeAll { waiting[$0]?.isEmpty ?? true }
        waiting = waiting.filter { !$0.value.isEmpty }
    }
}
