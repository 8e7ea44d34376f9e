import Foundation
import HTTPServer
import Jobs
import Logging
import Synchronization

/// The keys that open this service, in memory: a request is let in or not without a look at the store.
///
/// A queue of its own looks once a second whether the keys have changed, so that one that is added or revoked, by
/// whichever process, is known within about that time. While the store does not answer, the keys are those that were
/// known last.
public final class KeyRing: Sendable {
    /// Between two looks at the store.
    private static let refreshSeconds = 1.0
    /// How coarse the time of a key's last use is.
    private static let useSeconds = 60.0

    private struct State {
        var revision: Int64
        /// Those that open something, by the first bytes of their digests.
        var keys: [UInt64: [APIKey]]
        /// Whether a key was ever made, revoked or not.
        var hasKeys: Bool
        /// When each key was last noted to be used.
        var noted: [String: Date] = [:]
        /// What of that the store does not know yet.
        var unsaved: [String: Date] = [:]

        /// Of the keys that open something.
        var ids: Set<String> { Set(keys.values.joined().map(\.id)) }
    }

    private let store: any KeyStore
    private let allowsAnonymous: Bool
    private let environment: any Environment
    private let logger: Logger
    private let state: Mutex<State>
    private let listeners = Mutex<[@Sendable (Set<String>) -> Void]>([])
    private let periodic = Periodic(
        label: "keys", qos: .utility, period: KeyRing.refreshSeconds, firstAfter: KeyRing.refreshSeconds)
    private let isFailing = Atomic(false)

    /// Reads the keys.
    ///
    /// - Parameter allowsAnonymous: everybody may come in while no key was ever made. For a service that only its own
    ///   machine can reach.
    public init(
        _ store: any KeyStore, allowsAnonymous: Bool, environment: any Environment = SystemEnvironment(), logger: Logger
    ) throws {
        self.store = store
        self.allowsAnonymous = allowsAnonymous
        self.environment = environment
        self.logger = logger
        state = Mutex(try Self.read(store))
    }

    /// Whether no key was ever made. (A service whose last key was revoked is closed, not open.)
    public var isEmpty: Bool { state.withLock { !$0.hasKeys } }

    /// To be told of keys that open nothing any more, by their ids; on the thread that has looked.
    func onRevocation(_ tell: @escaping @Sendable (_ keys: Set<String>) -> Void) {
        listeners.withLock { $0.append(tell) }
    }

    // MARK: Keeping up

    /// Begins to follow the store.
    public func start() {
        periodic.start { [weak self] in self?.refresh() }
    }

    /// Ends that, and saves what is not saved yet. Blocks.
    public func stop() {
        periodic.stop()
        refresh()
    }

    /// One look at the store. Blocks.
    func refresh() {
        do {
            if try store.keysRevision() != state.withLock({ $0.revision }) {
                let read = try Self.read(store)
                let revoked = state.withLock { state in
                    let known = state.ids
                    (state.revision, state.keys, state.hasKeys) = (read.revision, read.keys, read.hasKeys)
                    return known.subtracting(state.ids)
                }
                if !revoked.isEmpty { for tell in listeners.withLock({ $0 }) { tell(revoked) } }
            }
            try store.noteUse(
                state.withLock { state in
                    defer { state.unsaved = [:] }
                    return state.unsaved
                })
            isFailing.store(false, ordering: .relaxed)
        } catch {
            // Once, not once a second.
            guard !isFailing.exchange(true, ordering: .relaxed) else { return }
            logger.error("the keys cannot be looked at; those known last stay", metadata: ["error": "\(error)"])
        }
    }

    /// The revision is read first: what changes meanwhile is read again at the next look.
    private static func read(_ store: any KeyStore) throws -> State {
        let revision = try store.keysRevision()
        let all = try store.keys()
        return State(
            revision: revision, keys: Dictionary(grouping: all.filter { $0.revokedAt == nil }) { place($0.digest) },
            hasKeys: !all.isEmpty)
    }

    // MARK: Letting in

    /// Who sent a request.
    ///
    /// - Parameter authorization: the values of its `Authorization` fields.
    /// - Throws: 401, with the challenge that RFC 6750 §3 asks for.
    func caller(_ authorization: [String]) throws(Problem) -> Caller {
        let token = authorization.first.flatMap(Self.bearerToken)
        // A key counts also while there are none: one that was just made, or is another service's, does not make its
        // holder's jobs everybody's.
        if token.flatMap(KeySecret.init) == nil, allowsAnonymous, isEmpty { return .anonymous }
        guard let token else { throw Self.challenge("This needs a key. Send it as `Authorization: Bearer lkt_…`.") }
        guard authorization.count == 1, let secret = KeySecret(token) else {
            throw Self.challenge("This is not a key. Keys are `lkt_` and 43 characters.", error: "invalid_token")
        }
        let digest = secret.digest
        let now = environment.now()
        let key = state.withLock { state in
            let key = state.keys[Self.place(digest)]?.first { Self.isEqual($0.digest, digest) }
            if let key { Self.noteUse(of: key, now, &state) }
            return key
        }
        guard let key else { throw Self.closed }
        return Caller(tenant: key.tenant, key: key.id, rate: key.rate)
    }

    private static func noteUse(of key: APIKey, _ now: Date, _ state: inout State) {
        let last = state.noted[key.id] ?? key.lastUsedAt ?? .distantPast
        guard now.timeIntervalSince(last) >= useSeconds else { return }
        state.noted[key.id] = now
        state.unsaved[key.id] = now
    }

    /// `Bearer` and one or more spaces; the scheme's name compares without case (RFC 9110 §11.1).
    private static func bearerToken(_ credentials: String) -> Substring? {
        let parts = credentials.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return parts[1].drop { $0 == " " }
    }

    /// What a key that opens nothing any more gets, and one that was never there: whether one was is nobody's business.
    static var closed: Problem { challenge("The key is unknown or was revoked.", error: "invalid_token") }

    /// Without an error code where no key was sent (RFC 6750 §3.1).
    private static func challenge(_ detail: String, error: String? = nil) -> Problem {
        let challenge = "Bearer realm=\"lktrack\"" + (error.map { ", error=\"\($0)\"" } ?? "")
        return Problem(.unauthorized, detail, fields: HTTPFields([("WWW-Authenticate", challenge)]))
    }

    /// Where a digest is found. How long that takes tells of the digest's first bytes at most, from which nothing of a
    /// key can be learnt.
    private static func place(_ digest: [UInt8]) -> UInt64 { digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// In constant time.
    private static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && zip(a, b).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
