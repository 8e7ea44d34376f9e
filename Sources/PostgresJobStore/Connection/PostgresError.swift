import Jobs

/// What PostgreSQL or the way to it did.
package struct PostgresError: Error, CustomStringConvertible {
    package enum Kind: Hashable {
        /// The connection was not made, or is gone.
        case connection
        /// No answer in time: the connection is given up.
        case timeout
        /// The server refused a statement, with this SQLSTATE
        /// (https://www.postgresql.org/docs/15/errcodes-appendix.html).
        case server(String)
    }

    package var kind: Kind
    package var message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String {
        if case .server(let state) = kind { "\(message) (SQLSTATE \(state))" } else { message }
    }

    static let uniqueViolation = "23505"

    /// What libpq or the server say, and what to change in the URL where they do not say it.
    fileprivate var advice: String {
        if message.contains("certificate verify failed") {
            return message + "; the server's certificate is not from an authority that is trusted here: `sslrootcert` "
                + "in the URL names the file of the authority's certificate"
        }
        if message.contains("does not match host name") {
            return message + "; the URL must name the server as its certificate does, where `sslmode` is `verify-full` "
                + "(`hostaddr` may give its address)"
        }
        if message.contains("no pg_hba.conf entry"), message.contains("no encryption") {
            return message + "; the server takes no connection without TLS: `sslmode` in the URL must be `require` or "
                + "better, `verify-full` to be sure who answers"
        }
        return message
    }

    /// Whether the connection is of no more use: it broke, or its server stops, or is a standby by now, or what was prepared
    /// on it does not fit the tables any more (`feature_not_supported`: "cached plan must not change result type";
    /// `invalid_sql_statement_name`).
    var endsConnection: Bool {
        switch kind {
        case .connection, .timeout: true
        case .server(let state):
            state.hasPrefix("08") || state.hasPrefix("57P") || ["25006", "0A000", "26000"].contains(state)
        }
    }

    /// Whether another transaction stood in the way of this one, which may go through now.
    var isConflict: Bool {
        // serialization_failure, deadlock_detected.
        kind == .server("40001") || kind == .server("40P01")
    }
}

extension JobsError {
    init(_ error: PostgresError) {
        switch error.kind {
        case .connection: self.init(.unreachable, "the job database cannot be reached: \(error.advice)")
        case .timeout: self.init(.unreachable, "the job database does not answer: \(error.message)")
        case .server(let state):
            switch state {
            case "53100": self.init(.storageFull, "no space left for the job database")
            // query_canceled (by statement_timeout), lock_not_available, too many connections, other resources, conflicts.
            case "57014", "55P03", "53300", "53200", "53000", "40001", "40P01":
                self.init(.busy, "the job database is busy: \(error)")
            case "XX001", "XX002": self.init(.corrupt, "the job database is damaged: \(error)")
            case _ where error.endsConnection:
                self.init(.unreachable, "the job database cannot be reached: \(error)")
            default: self.init(.io, "the job database failed: \(error)")
            }
        }
    }
}
