import HTTPServer
import Jobs

extension Problem {
    /// For an error of another module. What is no fault of the client's becomes a 5xx that names nothing of the inside;
    /// the log gets the cause.
    init(wrapping error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as SpecErrors: self.init(error)
        case let error as JobsError: self.init(error)
        case let error as MediaServiceError: self.init(error)
        case let error as MultipartError: self.init(error)
        default: self.init(internal: String(describing: error))
        }
    }

    private init(internal cause: String) {
        self.init(
            .internalError, "Something went wrong here. Try again; if it persists, report the request id.",
            cause: cause)
    }

    init(_ error: SpecErrors) {
        self.init(invalid: error.problems.map { FieldError(pointer: $0.pointer, detail: $0.detail) })
    }

    /// Several things that are wrong with one request; at least one.
    init(invalid errors: [FieldError]) {
        let first = errors.first.map { "\($0.pointer) \($0.detail)" } ?? ""
        self.init(
            .invalid, errors.count == 1 ? first : "\(errors.count) things are wrong; the first: \(first)",
            errors: errors)
    }

    init(_ error: MultipartError) {
        self.init(error.code == .notMultipart ? .unsupportedMediaType : .malformed, error.message)
    }

    init(_ error: JobsError) {
        switch error.code {
        case .storageFull: self = Problem.noSpace(cause: error.message)
        case .busy:
            self = Problem(.unavailable, "The job store is busy. Try again.", cause: error.message).retryAfter(1)
        case .unreachable:
            self = Problem(.unavailable, "The storage does not answer. Try again.", cause: error.message).retryAfter(5)
        case .unsettled:
            self = Problem(
                .unavailable,
                "The storage does not answer, and what became of the request is not known. Send it again: where it had an "
                    + "Idempotency-Key, nothing happens twice.", cause: error.message
            ).retryAfter(5)
        case .quotaExceeded:
            self = Problem(.quotaExceeded, error.message).overQuota(QuotaPolicy.queuedJobs, error.limit).retryAfter(10)
        case .queueFull: self = Problem(.queueFull, error.message).retryAfter(10)
        case .storedQuotaExceeded:
            self = Problem(.storedQuotaExceeded, error.message)
                .overQuota(QuotaPolicy.storedBytes, error.limit, left: error.left).retryAfter(60)
        case .targetNeeded, .unknownTarget: self = .at(ClientText.pointer("target"), error.message)
        default: self.init(internal: "\(error.code.rawValue): \(error.message)")
        }
    }

    init(_ error: MediaServiceError) {
        switch error.code {
        case .frameNotFound: self.init(.notFound, error.message)
        case .undecodable, .limitExceeded: self.init(.conflict, error.message)
        case .busy, .canceled: self = Problem(.unavailable, error.message).retryAfter(1)
        case .timedOut: self = Problem(.decodeTimeout, error.message).retryAfter(60)
        case .storageFull: self = Problem.noSpace(cause: error.message, for: "unpacking the archive")
        default: self.init(internal: "\(error.code.rawValue): \(error.message)")
        }
    }

    static func noSpace(cause: String, for what: String = "this upload") -> Problem {
        Problem(
            .storageFull,
            "There is no space left for \(what). Delete jobs that are no longer needed, or try later.",
            cause: cause
        ).retryAfter(60)
    }
}
