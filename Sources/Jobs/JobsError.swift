/// What a store or a result encoder could not do. What is wrong with a spec is a ``SpecErrors``, with a JSON text a
/// ``JSONError``.
public struct JobsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An open set; the known ones are the constants below.
    public struct Code: Hashable, Sendable, RawRepresentable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// No space left on the device.
        public static let storageFull = Code(rawValue: "storage_full")
        /// The disk or the database failed.
        public static let io = Code(rawValue: "io")
        /// A store on another machine does not answer, or not as it should.
        public static let unreachable = Code(rawValue: "unreachable")
        /// The database was told to make a change, and what became of that is not known, because it does not answer any
        /// more: nothing may be removed that the change needs, and it may be asked for again.
        public static let unsettled = Code(rawValue: "unsettled")
        /// The database stayed locked for too long.
        public static let busy = Code(rawValue: "busy")
        /// Another writer has the blob open.
        public static let locked = Code(rawValue: "locked")
        /// A blob's key is not of the form that ``BlobStore`` asks for.
        public static let invalidKey = Code(rawValue: "invalid_key")
        /// What is stored cannot be read.
        public static let corrupt = Code(rawValue: "corrupt")
        /// The database was made by a newer version.
        public static let schemaTooNew = Code(rawValue: "schema_too_new")
        /// The database's jobs were moved to another one, or are being moved, or not all of them have come yet.
        public static let moved = Code(rawValue: "moved")
        /// A tenant has as much as it may have.
        public static let quotaExceeded = Code(rawValue: "quota_exceeded")
        /// As many jobs wait, of all tenants together, as may.
        public static let queueFull = Code(rawValue: "queue_full")
        /// A tenant would store more than it may.
        public static let storedQuotaExceeded = Code(rawValue: "stored_quota_exceeded")
        /// What is to be added is there already.
        public static let conflict = Code(rawValue: "conflict")
        /// The job is not what it was any more.
        public static let otherRevision = Code(rawValue: "other_revision")
        /// A format holds one target, and the job has several.
        public static let targetNeeded = Code(rawValue: "target_needed")
        /// The job has no such target.
        public static let unknownTarget = Code(rawValue: "unknown_target")
    }

    public var code: Code
    /// What was wrong, where, what to do; for a person.
    public var message: String
    /// How much the tenant may have, for ``Code/quotaExceeded`` and ``Code/storedQuotaExceeded``.
    public var limit: Int?
    /// How much of it is left.
    public var left: Int

    public init(_ code: Code, _ message: String, limit: Int? = nil, left: Int = 0) {
        self.code = code
        self.message = message
        self.limit = limit
        self.left = left
    }

    /// Whether a store on another machine does not answer, and nothing is wrong with what it was asked.
    public var isOutage: Bool { code == .unreachable || code == .unsettled }

    public var description: String { message }
}
