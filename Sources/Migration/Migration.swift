import Foundation
import Jobs
import PostgresJobStore
import SQLiteJobStore

/// Brings what an installation on SQLite keeps to PostgreSQL, and its blobs to another place where they are to have one.
///
/// Each run makes the destination the same as the source was at one moment of it, and writes only what differs: so a run
/// may be killed anywhere, or be followed by another. Before the last run the source must be closed to all others
/// (``SQLiteJobStore/setMove(_:)``), and its running jobs be queued again.
package struct Migration {
    /// Blobs that are on their way at a time.
    private static let threads = 8

    private let source: SQLiteJobStore
    private let takeover: Takeover
    private let blobs: BlobRoute
    private let rereads: Bool
    private let progress: (String) -> Void

    /// - Parameters:
    ///   - rereads: whether blobs that are there already are read again.
    ///   - progress: takes a line that says how far it is, now and then.
    package init(
        from source: SQLiteJobStore, to takeover: Takeover, blobs: BlobRoute, rereads: Bool = false,
        progress: @escaping (String) -> Void = { _ in }
    ) {
        self.source = source
        self.takeover = takeover
        self.blobs = blobs
        self.rereads = rereads
        self.progress = progress
    }

    /// Copies rows and blobs. What is wrong with single blobs of the source is told in the report.
    ///
    /// - Parameter isLast: whether nobody else writes to the source any more.
    /// - Throws: where a side fails; ``JobsError/Code/corrupt`` where rows are not the same afterwards.
    package func copy(isLast: Bool) throws -> MigrationReport {
        var report = try source.snapshot { snapshot in try copyRows(snapshot) }
        // What counters count is settled in the end.
        if !isLast { try verify(&report, StoredTable.all.filter { !$0.isCounter }) }
        report.blobs = try moveBlobs(isLast)
        if !isLast {
            report.tables.removeAll { table in StoredTable.all.contains { $0.name == table.name && $0.isCounter } }
        }
        return report
    }

    /// Holds every row of the destination against the source's and opens it to servers, or fails and leaves it closed.
    ///
    /// - Parameters:
    ///   - report: of the last copy.
    ///   - installation: the name that the destination is to go by from now on; `nil`: its own.
    package func finish(_ report: inout MigrationReport, installation: String?) throws {
        try takeover.finish(counters: report.counters, installation: installation) {
            try verify(&report, StoredTable.all)
        }
    }

    /// What there is to be moved.
    package static func look(
        at source: SQLiteJobStore, blobs: any BlobStore
    ) throws -> (rows: [(table: String, count: Int)], blobs: Tally) {
        let mover = BlobMover(route: BlobRoute(from: blobs, to: nil), isLast: true, rereads: false)
        return try source.snapshot { snapshot in
            let rows = try StoredTable.all.filter { !$0.isCounter }.map { ($0.name, try snapshot.count($0)) }
            var tally = Tally()
            for table in [StoredTable.jobs, .uploads] {
                let found = try snapshot.rows(table)
                while let row = try found.next() { tally.add(try mover.look(at: owner(table, row))) }
            }
            return (rows, tally)
        }
    }

    // MARK: Rows

    private func copyRows(_ snapshot: SQLiteSnapshot) throws -> MigrationReport {
        var report = MigrationReport()
        for table in StoredTable.all {
            let rows = try snapshot.rows(table)
            guard !table.isCounter else {
                var tally = Tally()
                while let row = try rows.next() {
                    tally.add(row)
                    if [.jobEndings, .deliveryCounts].contains(table) {
                        report.counters[table, default: []].append(row)
                    }
                }
                report.tables.append(.init(name: table.name, source: tally, destination: Tally()))
                continue
            }
            progress("rows of \(table.name)")
            var merge = TableMerge(table, takeover) { keys in try removeBlobs(of: keys, table) }
            let tally = try merge.run(rows)
            report.tables.append(
                .init(
                    name: table.name, source: tally, destination: Tally(), written: merge.written,
                    removed: merge.removed))
        }
        return report
    }

    private func verify(_ report: inout MigrationReport, _ tables: [StoredTable]) throws {
        var different: [String] = []
        for table in tables {
            progress("holding \(table.name) against the source")
            guard let index = report.tables.firstIndex(where: { $0.name == table.name }) else { continue }
            var tally = Tally()
            var rows = TakenRows(table, takeover)
            while let row = try rows.take() { tally.add(row) }
            report.tables[index].destination = tally
            if tally != report.tables[index].source { different.append(table.name) }
        }
        guard different.isEmpty else {
            throw JobsError(
                .corrupt,
                "rows of \(different.joined(separator: ", ")) are not the same in PostgreSQL as in SQLite: does something "
                    + "else write to one of them?")
        }
    }

    // MARK: Blobs

    private static func owner(_ table: StoredTable, _ row: StoredRow) throws -> BlobOwner {
        if table == .uploads { return try BlobOwner(upload: row) }
        return try BlobOwner(job: row, now: Int64(Date().timeIntervalSince1970 * 1000))
    }

    private func removeBlobs(of keys: [StoredKey], _ table: StoredTable) throws {
        guard let destination = blobs.destination else { return }
        let prefixes = keys.compactMap { key -> String? in
            guard let text = key.values.first?.text else { return nil }
            return switch table {
            case .jobs: JobID(text)?.blobPrefix
            case .uploads: UploadID(text)?.blobPrefix
            default: nil
            }
        }
        for prefix in prefixes { try destination.remove(prefix) }
    }

    private func moveBlobs(_ isLast: Bool) throws -> BlobFigures {
        let mover = BlobMover(route: blobs, isLast: isLast, rereads: rereads)
        var figures = BlobFigures()
        for table in [StoredTable.jobs, .uploads] {
            var last: StoredKey?
            // By the destination's rows, so that no moment of the source need be held for as long.
            while case let page = try takeover.page(table, after: last), !page.isEmpty {
                last = page.last.map(table.key(of:))
                let owners = try page.map { try Self.owner(table, $0) }
                for moved in try concurrently(owners, threads: Self.threads, mover.move) { figures.add(moved) }
                progress("\(figures.destination.count) blobs, \(figures.destination.bytes) bytes are there")
            }
        }
        figures.damaged.sort { ($0.owner, $0.key) < ($1.owner, $1.key) }
        return figures
    }
}
