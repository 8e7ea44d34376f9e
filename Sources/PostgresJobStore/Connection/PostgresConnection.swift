import CPostgres
import Foundation
import Glibc

/// A connection to the server. Calls block until the server has answered or ``deadline`` has passed; one thread at a time.
package final class PostgresConnection {
    /// When waiting ends. Whoever uses the connection sets it first.
    package var deadline: ContinuousClock.Instant
    /// Whether it is of no more use.
    private(set) var isBroken = false
    private let handle: OpaquePointer
    /// Names of prepared statements, by their text.
    private var prepared: [String: String] = [:]

    /// Connects.
    ///
    /// - Parameters:
    ///   - url: see ``PostgresConfiguration/url``; what it says of time-outs and keep-alives counts, else what stands here.
    ///   - deadline: when to give up. (Looking a host's name up may take longer.)
    package init(url: String, seconds: Double) throws(PostgresError) {
        if let reason = lkpq_load() { throw PostgresError(.connection, String(cString: reason)) }
        deadline = .now + .seconds(seconds)
        // A peer that is cut off is noticed within seconds, also while nothing is sent.
        let settings: [(String, String)] = [
            ("fallback_application_name", "lktrack"), ("client_encoding", "UTF8"), ("keepalives_idle", "5"),
            ("keepalives_interval", "2"), ("keepalives_count", "3"), ("tcp_user_timeout", "10000"), ("dbname", url),
        ]
        let started = Self.withCStrings(settings.map(\.0)) { keywords in
            Self.withCStrings(settings.map(\.1)) { values in lkpq_connect_start(keywords, values) }
        }
        guard let started else { throw PostgresError(.connection, "there is no memory for a connection") }
        handle = started
        lkpq_silence_notices(handle)
        guard lkpq_status(handle) != CONNECTION_BAD else { throw broken(.connection) }
        var state = PGRES_POLLING_WRITING
        while state != PGRES_POLLING_OK {
            guard state != PGRES_POLLING_FAILED else { throw broken(.connection) }
            try wait(for: state == PGRES_POLLING_READING ? POLLIN : POLLOUT)
            state = lkpq_connect_poll(handle)
        }
        guard lkpq_set_nonblocking(handle) == 0 else { throw broken(.connection) }
    }

    deinit { lkpq_finish(handle) }

    /// Why libpq would not take a URL; `nil` where it would. Says nothing of the server.
    static func problem(with url: String) -> String? {
        if let reason = lkpq_load() { return String(cString: reason) }
        var error: UnsafeMutablePointer<CChar>?
        guard lkpq_check_conninfo(url, &error) != 0 else { return nil }
        defer { lkpq_free(error) }
        return error.map { String(cString: $0).trimmingCharacters(in: .whitespacesAndNewlines) } ?? "it is not valid"
    }

    // MARK: Statements

    /// Runs one statement, which is prepared at its first use here.
    @discardableResult
    func execute(_ sql: String, _ values: [PostgresValue] = []) throws(PostgresError) -> PostgresResult {
        let name: String
        if let known = prepared[sql] {
            name = known
        } else {
            name = "s\(prepared.count)"
            try send { lkpq_send_prepare(handle, name, sql) }
            _ = try receive()
            prepared[sql] = name
        }
        let parameters = PostgresParameters(values)
        try send {
            parameters.withPointers { pointers, lengths, formats in
                lkpq_send_prepared(handle, name, Int32(values.count), pointers, lengths, formats)
            }
        }
        return try receive()
    }

    /// Runs statements without parameters, separated by semicolons, and returns the last one's result.
    @discardableResult
    package func run(script: String) throws(PostgresError) -> PostgresResult {
        try send { lkpq_send_query(handle, script) }
        return try receive()
    }

    // MARK: Notifications

    var socket: Int32 { lkpq_socket(handle) }

    /// Takes in what has come, without waiting.
    func takeIn() throws(PostgresError) {
        guard lkpq_consume_input(handle) == 1 else { throw broken(.connection) }
    }

    /// The payload of the next notification that was taken in; `nil`: no more.
    func nextNotification() -> String? {
        guard let notification = lkpq_notifies(handle) else { return nil }
        defer { lkpq_free(notification) }
        return String(cString: notification.pointee.extra)
    }

    // MARK: Helpers

    private func send(_ start: () -> Int32) throws(PostgresError) {
        guard start() == 1 else { throw broken(.connection) }
        while true {
            switch lkpq_flush(handle) {
            case 0: return
            case 1:
                // The server may want to be rid of something before it reads on.
                if try wait(for: POLLIN | POLLOUT) & Int16(POLLIN) != 0 { try takeIn() }
            default: throw broken(.connection)
            }
        }
    }

    /// Waits for all results of what was sent; the last one counts, or the first error.
    private func receive() throws(PostgresError) -> PostgresResult {
        var last: PostgresResult?
        var failure: PostgresError?
        while true {
            while lkpq_is_busy(handle) == 1 {
                try wait(for: POLLIN)
                try takeIn()
            }
            guard let raw = lkpq_get_result(handle) else { break }
            let result = PostgresResult(raw)
            switch lkpq_result_status(raw) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: last = result
            default: failure = failure ?? Self.error(raw)
            }
        }
        if lkpq_status(handle) == CONNECTION_BAD { throw broken(.connection) }
        if let failure {
            if failure.endsConnection { isBroken = true }
            throw failure
        }
        guard let last else { throw broken(.connection) }
        return last
    }

    private static func error(_ result: OpaquePointer) -> PostgresError {
        let message = lkpq_result_error_field(result, lkpq_field_message) ?? lkpq_result_error_message(result)
        let text = message.map { String(cString: $0) } ?? "no reason given"
        guard let state = lkpq_result_error_field(result, lkpq_field_sqlstate) else {
            return PostgresError(.connection, text.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        return PostgresError(.server(String(cString: state)), text)
    }

    /// Waits until the socket is ready, or the deadline has passed, which breaks the connection.
    @discardableResult
    private func wait(for events: Int32) throws(PostgresError) -> Int16 {
        while true {
            let left = deadline - .now
            guard left > .zero else { throw broken(.timeout) }
            var entry = pollfd(fd: lkpq_socket(handle), events: Int16(events), revents: 0)
            let milliseconds = Int32(min(left / .milliseconds(1), 1e6)) + 1
            let count = poll(&entry, 1, milliseconds)
            if count > 0 { return entry.revents }
            if count < 0 && errno != EINTR { throw broken(.connection) }
        }
    }

    private func broken(_ kind: PostgresError.Kind) -> PostgresError {
        isBroken = true
        if kind == .timeout { return PostgresError(.timeout, "no answer in time") }
        let text = lkpq_error_message(handle).map { String(cString: $0) } ?? ""
        let reason = text.split(separator: "\n").joined(separator: "; ")
        return PostgresError(.connection, reason.isEmpty ? "the connection is gone" : reason)
    }

    /// A NULL-terminated array of C strings, for the time of the call.
    private static func withCStrings<R>(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R
    ) -> R {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies.map { $0.map { UnsafePointer($0) } } + [nil])
    }
}
