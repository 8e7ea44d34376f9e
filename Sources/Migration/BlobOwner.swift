import Jobs

/// A job or an upload, and what is known of its blobs.
struct BlobOwner: Sendable {
    let name: String
    /// All its blobs are below.
    let prefix: String
    /// Whether it has no blobs any more.
    let isGone: Bool
    /// Blobs that it cannot do without.
    let needed: [String]
    /// What they must be where its row says it, SHA-256 in lower-case hexadecimal, by key.
    let digests: [String: String]
    /// Of an upload that still comes: how many bytes its client was told are there.
    let received: (key: String, bytes: Int64)?

    /// - Parameter now: milliseconds since 1970.
    init(job row: StoredRow, now: Int64) throws(JobsError) {
        let table = StoredTable.jobs
        guard let id = table.value("id", of: row).text.flatMap({ JobID($0) }) else {
            throw JobsError(.corrupt, "the stored job \(row[0].shown) has no id that could be read")
        }
        let source = JobSource(storedText: table.value("source", of: row).text ?? "", of: id)
        let results = ["result_key", "video_key"].compactMap { table.value($0, of: row).text }
        name = "job \(id)"
        prefix = id.blobPrefix
        isGone = table.value("purged_at", of: row) != .null
        var isExpired = isGone
        if case .integer(let time) = table.value("expires_at", of: row), time <= now { isExpired = true }
        // Those of an expired job may be gone already, or some of them.
        needed = isExpired ? [] : [source.blobKey] + results
        digests = source.sha256.utf8.count == 64 ? [source.blobKey: source.sha256] : [:]
        received = nil
    }

    init(upload row: StoredRow) throws(JobsError) {
        let table = StoredTable.uploads
        guard let id = table.value("id", of: row).text.flatMap({ UploadID($0) }) else {
            throw JobsError(.corrupt, "the stored upload \(row[0].shown) has no id that could be read")
        }
        name = "upload \(id)"
        prefix = id.blobPrefix
        isGone = table.value("job_id", of: row) != .null || table.value("removed_at", of: row) != .null
        (needed, digests) = ([], [:])
        if !isGone, case .integer(let bytes) = table.value("received", of: row) {
            received = (id.dataKey, bytes)
        } else {
            received = nil
        }
    }
}
