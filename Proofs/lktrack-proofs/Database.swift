import Foundation
import ServiceHarness

/// SQLite's own account of a database.
enum Database {
    /// What is wrong with it.
    static func damage(_ path: String) throws -> [String] {
        let found = try ask(path, "PRAGMA integrity_check")
        return found == ["ok"] ? [] : found.map { "integrity_check: \($0)" }
    }

    /// The first column of each row.
    @discardableResult
    static func ask(_ path: String, _ sql: String) throws -> [String] {
        let script = """
            import sqlite3, sys
            database = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
            for row in database.execute(sys.argv[2]): print(row[0])
            """
        let output = try Executable.run("/usr/bin/python3", ["-c", script, path, sql])
        guard output.status == 0 else { throw ProofError("the database does not answer: \(output.standardError)") }
        return output.lines.map(String.init)
    }
}

/// The database's own books of how often jobs have ended, kept by a trigger of the proof's.
struct EndBooks {
    private let path: String

    /// Begins to keep books.
    init(_ server: Server) throws {
        path = server.data.path("lktrack.sqlite")
        try Database.ask(path, "CREATE TABLE proof_ends (job TEXT NOT NULL)")
        try Database.ask(
            path,
            """
            CREATE TRIGGER proof AFTER UPDATE ON jobs
            WHEN NEW.status IN ('succeeded', 'failed', 'canceled')
                AND (OLD.status, OLD.finished_at, OLD.result_key)
                    IS NOT (NEW.status, NEW.finished_at, NEW.result_key)
            BEGIN INSERT INTO proof_ends VALUES (NEW.id); END
            """)
    }

    /// - Parameter accepted: jobs that have ended, and are not deleted.
    func losses(_ accepted: [String]) throws -> [String] {
        let rows = try Database.ask(path, "SELECT job || ' ' || count(*) FROM proof_ends GROUP BY job")
        let ends = rows.reduce(into: [String: String]()) { ends, row in
            let parts = row.split(separator: " ")
            ends[String(parts[0])] = parts.last.map(String.init)
        }
        return accepted.filter { ends[$0] != "1" }.map { "job \($0) has ended \(ends[$0] ?? "0") times" }
    }
}

/// The locks without which nobody writes to a database, lktrack's and SQLite's, held by a process of its own, which is
/// there before.
final class DatabaseLock {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(_ path: String) throws {
        let script = """
            import fcntl, sqlite3, sys
            database = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
            sys.stdin.readline()
            lock = open(sys.argv[1] + '-lock')
            fcntl.flock(lock, fcntl.LOCK_EX)
            database.execute('begin immediate')
            print('held', flush=True)
            sys.stdin.read()
            """
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", script, path]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    deinit { release() }

    /// Waits until it is held.
    func take() throws {
        try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
        guard output.fileHandleForReading.availableData.starts(with: Array("held".utf8)) else {
            throw ProofError("the database cannot be locked")
        }
    }

    func release() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
