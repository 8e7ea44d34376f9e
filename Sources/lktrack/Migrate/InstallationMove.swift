import Foundation
import Glibc
import Jobs
import Migration
import PostgresJobStore
import SQLiteJobStore
import Workers

/// Moves what a service keeps from SQLite to PostgreSQL.
///
/// The SQLite database is closed, by a mark in it, before the last copy begins, and stays so once that is done; where the
/// copy fails it is opened again. Whoever is killed in between leaves it closed, because only the next run knows how far
/// the other side has come.
struct InstallationMove {
    /// The path of the SQLite database.
    let database: String
    let source: ServiceConfiguration
    let destination: ServiceConfiguration
    let postgres: PostgresConfiguration
    let rereads: Bool
    let skipsDamaged: Bool

    private var blobs: MoveBlobs { MoveBlobs(source: source, destination: destination) }

    private func opened<T>(_ body: (SQLiteJobStore) throws -> T) throws -> T {
        let store = try SQLiteJobStore(moving: database, retentionSeconds: source.retentionPolicy.seconds)
        defer { try? store.close() }
        return try body(store)
    }

    // MARK: What there is

    func describe() throws {
        try opened { store in
            defer { blobs.removePassage() }
            let found = try Takeover.look(postgres, source: try Installation.id(of: database))
            let route = try blobs.route(of: store, for: nil)
            let (rows, tally) = try Migration.look(at: store, blobs: route.source)
            let lines =
                [["TABLE", "ROWS"]] + rows.map { [$0.table, "\($0.count)"] }
                + [["blobs", "\(tally.count)\(blobs.areStaying ? ", which stay where they are" : "")"]]
            Console.write(TextTable.text(lines), to: STDOUT_FILENO)
            Console.note("\(tally.bytes) bytes of blobs. Nothing was changed.")
            let state =
                switch found {
                case nil: "holds nothing yet"
                case .copying: "has a copy that is not finished"
                case .finished: "has everything already"
                case .undone: "has a copy that was given up: a new run needs a new database or schema"
                }
            Console.note("The PostgreSQL database \(state).")
        }
    }

    // MARK: Moving

    func run() throws {
        // A process that stands by while others start is none that they would take for dead.
        let owners = try OwnerRegistry(directory: source.dataDirectory + "/owners")
        defer { owners.close() }
        try opened { store in
            let takeover = try takeover(of: store)
            guard try !isFinished(store, takeover) else { return }
            // Also what a run that was killed has left.
            blobs.removePassage()
            defer { blobs.removePassage() }
            let route = try blobs.route(of: store, for: blobs.areStaying ? "" : takeover.installation())
            if try takeover.state() == nil { try takeover.begin() }
            let migration = Migration(from: store, to: takeover, blobs: route, rereads: rereads) { line in
                if Console.isTerminal { Console.status(line) }
            }
            guard try close(store, owners) else {
                let report = try migration.copy(isLast: false)
                show(report)
                throw CommandFailure(
                    .again,
                    "this was a copy of a living installation: stop its server and run the same command again")
            }
            try finish(migration, store, owners, route, takeover)
        }
    }

    /// Whether there is nothing to do any more.
    private func isFinished(_ store: SQLiteJobStore, _ takeover: Takeover) throws -> Bool {
        let move = try store.move()
        switch try takeover.state() {
        case nil:
            guard move == nil else { throw otherDatabase() }
            return false
        case .copying:
            guard move != .moved else { throw otherDatabase() }
            return false
        case .finished:
            guard move != nil else {
                throw CommandFailure(
                    .cannotCreate,
                    "PostgreSQL has the jobs of \(database) since an earlier run, and yet that database is open: it was put "
                        + "back from a backup, perhaps. To move it again, give a PostgreSQL database, or a schema, that is new"
                )
            }
            try store.setMove(.moved)
            Console.note("PostgreSQL has everything since an earlier run. Nothing was changed.")
            return true
        case .undone:
            throw CommandFailure(
                .cannotCreate,
                "the PostgreSQL database has jobs of a move that was undone, and perhaps newer ones, which would be lost: "
                    + "give a database, or a schema, that is new")
        }
    }

    /// Lets no server start on the database any more, unless there is one already.
    private func close(_ store: SQLiteJobStore, _ owners: OwnerRegistry) throws -> Bool {
        guard !owners.hasLivingOthers() else { return false }
        try store.setMove(.moving)
        // Who came in between is known now: a server has its place among the owners before it opens the database.
        guard owners.hasLivingOthers() else { return true }
        try store.setMove(nil)
        return false
    }

    private func finish(
        _ migration: Migration, _ store: SQLiteJobStore, _ owners: OwnerRegistry, _ route: BlobRoute,
        _ takeover: Takeover
    ) throws {
        var report: MigrationReport
        do {
            try releaseJobs(store, owners, route)
            report = try migration.copy(isLast: true)
            if !report.blobs.damaged.isEmpty, !skipsDamaged {
                show(report)
                throw CommandFailure(
                    .dataError,
                    "\(report.blobs.damagedCount) blobs are damaged or missing, and nothing is finished yet. Put them back "
                        + "from a backup, or start the server again and delete their jobs; or add --skip-damaged, which "
                        + "leaves their jobs without them")
            }
        } catch {
            try? store.setMove(nil)
            throw error
        }
        do {
            // A bucket that stays goes by the name of its database, which PostgreSQL takes over.
            try migration.finish(&report, installation: blobs.areStaying ? takeover.source : nil)
        } catch let error as JobsError where error.isOutage {
            throw CommandFailure(
                .unavailable, "\(error.message). It is not known whether that was the end: run the same command again")
        } catch {
            try? store.setMove(nil)
            throw error
        }
        try store.setMove(.moved)
        show(report)
        Console.note("Everything is in PostgreSQL. Start servers with the new store.url and blobs.url.")
    }

    /// Does with jobs of dead processes as a server does at its start, and sees that nobody holds any other.
    private func releaseJobs(_ store: SQLiteJobStore, _ owners: OwnerRegistry, _ route: BlobRoute) throws {
        let log = ServiceLog(level: .warning)
        defer { log.flush() }
        try DeadOwnerRecovery(store: store, blobs: route.source, logger: log.logger).requeueJobs(ofDead: owners)
        _ = try store.expireLeases()
        let holders = try store.owners().sorted()
        guard holders.isEmpty else {
            throw CommandFailure(
                .unavailable,
                "jobs are held by \(holders.joined(separator: ", ")), of another data folder or another machine: stop that, "
                    + "and run this again \(Int(source.leaseSeconds)) s later")
        }
    }

    // MARK: Going back

    func undo() throws {
        try opened { store in
            let move = try store.move()
            let takeover = try takeover(of: store)
            guard let state = try takeover.state() else { throw otherDatabase() }
            let wasFinished = try takeover.undo()
            // Also where an earlier run was killed here. Nobody has worked on what was not finished.
            if move != nil, state != .copying { try store.reopen() } else { try store.setMove(nil) }
            Console.note(
                move == nil
                    ? "\(database) was open; it still is."
                    : "\(database) is open again: start servers with the old configuration.")
            Console.note(
                wasFinished
                    ? "The PostgreSQL database is closed. What has happened there since the move is not here."
                    : "The copy in PostgreSQL stays closed until a further run finishes it.")
        }
    }

    // MARK: Helpers

    private func takeover(of store: SQLiteJobStore) throws -> Takeover {
        do throws(JobsError) {
            return try Takeover(postgres, source: try Installation.id(of: database))
        } catch {
            // What to do about a stranger's depends on whether there is one already that everything is in.
            guard error.code == .conflict, try store.move() == .moved else { throw error }
            throw otherDatabase()
        }
    }

    private func otherDatabase() -> CommandFailure {
        CommandFailure(
            .cannotCreate,
            "the PostgreSQL database is not the one that \(database) was moved to: look at --store-url. Where that one is gone, "
                + "docs/operations.md says how to open \(database) again")
    }

    private func show(_ report: MigrationReport) {
        if Console.isTerminal { Console.status("") }
        for blob in report.blobs.damaged { Console.note("damaged: \(blob)") }
        let others = report.blobs.damagedCount - report.blobs.damaged.count
        if others > 0 { Console.note("damaged: \(others) others") }
        Console.write(TextTable.text(report.lines), to: STDOUT_FILENO)
    }
}
