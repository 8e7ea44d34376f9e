import FileBlobStore
import Foundation
import HTTPServer
import JobStoreContract
import Jobs
import Logging
import SQLiteJobStore
import Synchronization
import Testing
import TrackingAPI

/// The API over real stores in a folder of its own, driven as the server drives it.
final class Service: Sendable {
    let folder: String
    let store: SQLiteJobStore
    let blobs: FaultyBlobs
    let renderer: TestRenderer
    let api: TrackingAPI
    /// Who may come in; `nil`: everybody.
    let ring: KeyRing?
    let environment: any Environment
    let signals = Signals()
    let ids = JobIDGenerator()
    /// The API's time of day, unless a test brings its own.
    let clock = TestClock()
    /// Whose folder this is.
    private let predecessor: Service?

    /// Who may come in.
    enum Keys {
        /// Everybody (`auth: none`).
        case none
        /// Holders of keys; everybody while there are none.
        case loopback
        /// Holders of keys.
        case required
    }
    let timer = ManualTimer()
    let watch: JobWatch

    /// What the API told the rest of the program.
    final class Signals: Sendable {
        let submissions = Mutex(0)
        let cancellations = Mutex<[JobID]>([])
    }

    /// - Parameter way: puts something between the API and the store of jobs.
    init(
        health: ServiceHealth = ServiceHealth(workersExpected: 2, workersAlive: 2),
        media: any MediaServices = TestMedia(), isRendererHeld: Bool = false, environment: (any Environment)? = nil,
        over predecessor: Service? = nil, retentionSeconds: Double? = nil, keys: Keys = .none,
        configure: (inout APIConfiguration) -> Void = { _ in },
        through way: (SQLiteJobStore) -> any PassingStore.Base = { $0 }
    ) throws {
        var configuration = APIConfiguration()
        configuration.diskReserveBytes = 0
        configure(&configuration)
        self.predecessor = predecessor
        let fresh = FileManager.default.temporaryDirectory.appendingPathComponent("api-\(UUID().uuidString)").path
        folder = predecessor?.folder ?? fresh
        let environment = environment ?? clock
        self.environment = environment
        store = try SQLiteJobStore(
            path: folder + "/jobs.sqlite", retentionSeconds: retentionSeconds, capacity: configuration.queueCapacity,
            environment: environment)
        let logger = Logger(label: "test")
        ring =
            keys == .none
            ? nil
            : try KeyRing(
                store, allowsAnonymous: keys == .loopback, environment: environment, logger: logger)
        let files = try FileBlobStore(directory: folder + "/blobs")
        try files.removeAbandoned()
        blobs = FaultyBlobs(files)
        renderer = TestRenderer(blobs, isHeld: isRendererHeld)
        let signals = signals
        watch = JobWatch(store: store, blobs: blobs, timer: timer, logger: Logger(label: "test"))
        api = TrackingAPI(
            store: way(store), uploads: store, deliveries: store, blobs: blobs, media: media, renderer: renderer,
            keys: ring, environment: environment, configuration: configuration, version: "1.2.3",
            logger: logger, health: { health },
            onSubmit: { signals.submissions.withLock { $0 += 1 } },
            onCancel: { id in signals.cancellations.withLock { $0.append(id) } }, watch: watch)
    }

    deinit {
        try? store.close()
        if predecessor == nil { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// Another process on the same folder.
    func restarted() throws -> Service { try Service(over: self) }

    /// Every file below the blobs' folder, finished or not.
    var files: [String] {
        let all = FileManager.default.enumerator(atPath: folder + "/blobs")?.allObjects as? [String] ?? []
        return all.sorted()
    }

    /// Whether no job and no file is there, once what was cut off is cleared away.
    func isEmpty() throws -> Bool {
        api.finishUploads()
        return try files.filter { $0 != "jobs" }.isEmpty && store.counts().values.reduce(0, +) == 0
    }
}

extension Service {
    /// A request whose body is cut into pieces of the given sizes, which are used in turn.
    func send(
        _ method: String, _ target: String, _ fields: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        pieces: [Int] = [1_000]
    ) -> Answer {
        var fields = HTTPFields(fields)
        if let body, fields["Transfer-Encoding"] == nil { fields["Content-Length"] = String(body.count) }
        switch api.begin(Self.request(method, target, fields)) {
        case .respond(let response): return Answer(response)
        case .work(let work): return Answer(work())
        case .later(let start):
            guard let response = HeldRequest(start).wait() else {
                Issue.record("no answer in time")
                return Answer(HTTPResponse(status: 0))
            }
            return Answer(response)
        case .receive(let sink, let limit, let tooLarge):
            return Answer(Self.feed(sink, body ?? [], limit, tooLarge, pieces))
        }
    }

    /// The job that an answer speaks of, as the store has it.
    func kept(_ answer: Answer) throws -> Job {
        let id = try #require(answer.jobID, "\(answer.text)")
        return try #require(try store.job(id, tenant: .anonymous))
    }

    func post(_ form: Form, _ target: String = "/v1/jobs", pieces: [Int] = [1_000]) -> Answer {
        send("POST", target, [("Content-Type", Form.contentType)], body: form.body, pieces: pieces)
    }

    static func request(_ method: String, _ target: String, _ fields: HTTPFields = HTTPFields()) -> HTTPRequest {
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        let path = parts[0].split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let query = (parts.count > 1 ? parts[1] : "").split(separator: "&").map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                String($0).removingPercentEncoding ?? ""
            }
            return (name: sides[0], value: sides.count > 1 ? sides[1] : "")
        }
        return HTTPRequest(
            method: method, target: target, path: path.map { String($0).removingPercentEncoding ?? "" }, query: query,
            fields: fields, remoteAddress: "127.0.0.1", id: "request-1")
    }

    /// As the contract of ``HTTPBodySink`` has it.
    private static func feed(
        _ sink: any HTTPBodySink, _ body: [UInt8], _ limit: Int64, _ tooLarge: HTTPResponse, _ pieces: [Int]
    ) -> HTTPResponse {
        var rest = body[...]
        var count: Int64 = 0
        var turn = 0
        while !rest.isEmpty {
            let piece = Array(rest.prefix(max(pieces[turn % pieces.count], 1)))
            rest = rest.dropFirst(piece.count)
            turn += 1
            count += Int64(piece.count)
            if count > limit {
                sink.abort()
                return tooLarge
            }
            if let early = piece.withUnsafeBytes({ sink.receive($0) }) {
                sink.abort()
                return early
            }
        }
        return sink.finish()
    }
}
