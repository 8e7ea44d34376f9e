import Jobs

/// What was copied, and what is there on either side.
package struct MigrationReport: Sendable {
    package struct Table: Hashable, Sendable {
        package let name: String
        package internal(set) var source: Tally
        package internal(set) var destination: Tally
        /// Rows that were put, or changed.
        package internal(set) var written = 0
        package internal(set) var removed = 0
    }

    package internal(set) var tables: [Table] = []
    package internal(set) var blobs = BlobFigures()
    /// Rows of the counters that count what is deleted by now, too.
    var counters: [StoredTable: [StoredRow]] = [:]

    /// For a person: a line for each table and one for the blobs.
    package var lines: [[String]] {
        let rows = tables.map { table in
            [
                table.name, "\(table.source.count)", "\(table.destination.count)", "\(table.written)",
                "\(table.removed)",
                Self.comparison(table.source, table.destination),
            ]
        }
        let blobs = [
            "blobs", "\(blobs.source.count + blobs.damagedCount)", "\(blobs.destination.count)", "\(blobs.copied)", "",
            blobs.damaged.isEmpty ? Self.comparison(blobs.source, blobs.destination) : "\(blobs.damagedCount) damaged",
        ]
        return [["TABLE", "SOURCE", "DESTINATION", "WRITTEN", "REMOVED", "DIGEST"]] + rows + [blobs]
    }

    private static func comparison(_ source: Tally, _ destination: Tally) -> String {
        source == destination
            ? "\(source.digest.prefix(16)) on both sides"
            : "\(source.digest.prefix(16)) here, \(destination.digest.prefix(16)) there"
    }
}
