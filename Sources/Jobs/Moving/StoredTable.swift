/// A table as it is moved from one store to another: what its rows say, whatever a store's own table looks like.
package struct StoredTable: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A job's, an upload's or a delivery's id, as text.
        case id
        case text, integer, real, flag, bytes
    }

    package struct Column: Hashable, Sendable {
        package let name: String
        package let kind: Kind
    }

    package let name: String
    package let columns: [Column]
    /// How many of the columns, from the first, are the key.
    package let keyCount: Int
    /// Whether it counts what other tables hold, or held: such a table is not copied by rows, but made anew at the end.
    package let isCounter: Bool

    private init(_ name: String, isCounter: Bool = false, key: [(String, Kind)], _ others: [(String, Kind)]) {
        self.name = name
        columns = (key + others).map { Column(name: $0.0, kind: $0.1) }
        keyCount = key.count
        self.isCounter = isCounter
    }

    package var key: ArraySlice<Column> { columns.prefix(keyCount) }

    /// - Parameter name: of one of the columns.
    package func value(_ name: String, of row: StoredRow) -> StoredValue {
        guard let index = columns.firstIndex(where: { $0.name == name }) else {
            preconditionFailure("\(self.name) has no column \(name)")
        }
        return row[index]
    }

    package func key(of row: StoredRow) -> StoredKey { StoredKey(row.prefix(keyCount)) }
}

extension StoredTable {
    package static let jobs = StoredTable(
        "jobs", key: [("id", .id)],
        [
            ("tenant", .text), ("status", .text), ("priority", .integer), ("spec", .text), ("source", .text),
            ("has_webhook", .flag), ("created_at", .integer), ("deadline_at", .integer), ("started_at", .integer),
            ("finished_at", .integer), ("expires_at", .integer), ("purged_at", .integer), ("attempt", .integer),
            ("cancel_requested", .flag), ("frames_done", .integer), ("frames_total", .integer),
            ("frames_per_second", .real), ("failure", .text), ("failure_code", .text), ("result_key", .text),
            ("video_key", .text), ("stored_bytes", .integer), ("revision", .integer), ("trace_id", .text),
            ("lease_owner", .text), ("lease_token", .text), ("lease_expires_at", .integer),
        ])
    package static let uploads = StoredTable(
        "uploads", key: [("id", .id)],
        [
            ("tenant", .text), ("length", .integer), ("received", .integer), ("metadata", .text),
            ("created_at", .integer), ("expires_at", .integer), ("job_id", .id), ("removed_at", .integer),
        ])

    /// Each after those that its rows refer to.
    package static let all: [StoredTable] = [
        jobs,
        StoredTable(
            "job_labels", key: [("job_id", .id), ("name", .text)],
            [("tenant", .text), ("value", .text), ("status", .text)]),
        StoredTable(
            "job_parts", key: [("job_id", .id), ("number", .integer)],
            [
                ("first_target", .integer), ("end_target", .integer), ("attempt", .integer), ("frames_done", .integer),
                ("result_key", .text), ("lease_owner", .text), ("lease_token", .text), ("lease_expires_at", .integer),
            ]),
        StoredTable(
            "deliveries", key: [("id", .id)],
            [
                ("job_id", .id), ("tenant", .text), ("event", .text), ("url", .text), ("host", .text),
                ("secret", .text), ("payload", .bytes), ("state", .text), ("attempts", .integer),
                ("created_at", .integer), ("due_at", .integer), ("finished_at", .integer), ("lease_token", .text),
            ]),
        StoredTable(
            "delivery_attempts", key: [("delivery_id", .id), ("number", .integer)],
            [("started_at", .integer), ("milliseconds", .integer), ("status", .integer), ("error", .text)]),
        StoredTable("delivery_turns", key: [("tenant", .text)], [("served", .integer)]),
        uploads,
        StoredTable(
            "idempotency_keys", key: [("tenant", .text), ("key", .text)],
            [("fingerprint", .text), ("answer", .bytes), ("created_at", .integer)]),
        StoredTable(
            "api_keys", key: [("id", .text)],
            [
                ("tenant", .text), ("name", .text), ("digest", .bytes), ("rate", .real), ("burst", .integer),
                ("created_at", .integer), ("last_used_at", .integer), ("revoked_at", .integer),
            ]),
        // What each may have, and the number of its last claim.
        StoredTable(
            "tenants", key: [("name", .text)],
            [("queued_limit", .integer), ("running_limit", .integer), ("stored_limit", .integer)]),
        StoredTable("tenant_turns", key: [("tenant", .text)], [("served", .integer)]),
        StoredTable("job_counts", isCounter: true, key: [("status", .text)], [("count", .integer)]),
        StoredTable(
            "tenant_counts", isCounter: true, key: [("tenant", .text)],
            [("queued", .integer), ("running", .integer), ("stored", .integer)]),
        jobEndings, deliveryCounts,
    ]

    /// They count what is deleted by now, too.
    package static let jobEndings = StoredTable(
        "job_endings", isCounter: true, key: [("status", .text), ("code", .text)], [("count", .integer)])
    package static let deliveryCounts = StoredTable(
        "delivery_counts", isCounter: true, key: [("state", .text)], [("count", .integer)])
}
