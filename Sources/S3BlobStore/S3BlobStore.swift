import Foundation
import Jobs

/// Blobs as objects of a bucket: Amazon S3, or a server that speaks its protocol (MinIO, Ceph). Any number of processes on
/// any number of machines may use one bucket and prefix at the same time.
///
/// Two things of the contract are weaker than on a local disk. A reader of a blob that has more than some 64 KiB fails,
/// rather than goes on, when the blob is replaced or removed meanwhile. And a process that dies while it appends to a
/// blob keeps others from it for half a minute.
///
/// It asks of S3 that what was put is seen by all who ask later (as Amazon's is since December 2020, MinIO's and Ceph's
/// are), and of its keys: `s3:ListBucket`, `s3:ListBucketMultipartUploads`, `s3:GetObject`, `s3:PutObject`,
/// `s3:DeleteObject`, `s3:AbortMultipartUpload`.
public struct S3BlobStore: BlobStore {
    let client: S3Client
    let layout: S3Layout
    let copies: LocalCopies
    let clock: any Jobs.Environment
    private let windows: S3WindowBudget
    private let health: StorageHealth

    /// Asks the bucket, so that what is wrong with it or with the keys is known at the start.
    ///
    /// - Parameters:
    ///   - local: holds blobs on their way in, and copies for decoders; for nothing else, and shared by no other machine.
    ///     What it holds can be lost at any time.
    ///   - environment: the variables of the process: keys and region.
    ///   - version: of the program, for the server's log.
    /// - Throws: ``JobsError``: the bucket does not answer, or not these keys.
    public init(
        _ location: S3Location, local: any BlobStore,
        environment: [String: String] = ProcessInfo.processInfo.environment, version: String = ""
    ) throws {
        try self.init(location, local: local, environment: environment, version: version, retries: S3Retries())
    }

    init(
        _ location: S3Location, local: any BlobStore, environment: [String: String], version: String = "",
        retries: S3Retries, clock: any Jobs.Environment = SystemEnvironment(),
        windows: S3WindowBudget = S3WindowBudget()
    ) throws {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        var options = HTTPConnections.Options(certificatesFile: variable("AWS_CA_BUNDLE"))
        if !version.isEmpty { options.userAgent = "lktrack/\(version)" }
        let connections = HTTPConnections(options)
        client = S3Client(
            location,
            region: location.region ?? variable("AWS_REGION") ?? variable("AWS_DEFAULT_REGION") ?? "us-east-1",
            credentials: CredentialChain(
                environment: environment, profile: location.profile, connections: connections, clock: clock),
            connections: connections, retries: retries, clock: clock)
        layout = S3Layout(prefix: location.prefix)
        self.clock = clock
        self.windows = windows
        try client.probe()
        copies = try LocalCopies(local, mostBytes: location.cacheBytes, clock: clock)
        health = StorageHealth(client, clock: clock)
    }

    public var isRemote: Bool { true }

    public func create(_ key: String) throws -> any BlobWriter {
        let checked = try BlobKey(key)
        return S3BlobWriter(checked, name: key, local: try copies.store.create(key), store: self)
    }

    public func resume(_ key: String) throws -> (any BlobAppender)? {
        try S3BlobAppender.open(BlobKey(key), store: self)
    }

    public func open(_ key: String) throws -> (any BlobReader)? {
        let object = layout.object(try BlobKey(key))
        if try copies.store.localPath(key) != nil {
            guard let info = try client.head(object) else { return nil }
            if let copy = try copies.open(key, info) { return copy }
        }
        // One request for the length, the version and the first bytes.
        var first: [UInt8] = []
        guard let info = try client.get(object, 0..<S3BlobReader.firstWindow, sink: { first.append(contentsOf: $0) })
        else { return nil }
        let piece = S3ReaderPiece(object: object, entityTag: info.entityTag, start: 0, count: info.count)
        return S3BlobReader(client, [piece], first: first, budget: windows)
    }

    /// What a writer of this machine has flushed, down to the last byte; what another machine's has, up to some seconds
    /// ago.
    public func openPartial(_ key: String) throws -> (any BlobReader)? {
        let checked = try BlobKey(key)
        if let partial = try copies.store.openPartial(key) { return partial }
        let prefix = layout.drafts(checked)
        let drafts = S3Drafts(try client.list(prefix), prefix: prefix, now: client.now)
        for pieces in [drafts.segments, drafts.live] where !pieces.isEmpty {
            return S3BlobReader(client, pieces, budget: windows)
        }
        return nil
    }

    /// Read with the object where it was put with it; of one that came in pieces, computed from its bytes.
    public func digest(_ key: String) throws -> String? {
        let object = layout.object(try BlobKey(key))
        guard let info = try client.head(object) else { return nil }
        if let digest = info.sha256 { return digest }
        if try copies.open(key, info) != nil, let digest = try copies.store.digest(key) { return digest }
        guard info.count > 0 else { return Payload.none.sha256 }
        var digest = RunningDigest()
        let read = try client.get(object, 0..<info.count, entityTag: info.entityTag) { digest.update($0) }
        return read == nil ? nil : digest.text
    }

    public func copy(_ key: String, to other: String) throws -> Bool {
        try client.copy(layout.object(BlobKey(key)), to: layout.object(BlobKey(other)))
    }

    public func remove(_ key: String) throws {
        let checked = try BlobKey(key)
        // First, so that what is being written here comes to nothing.
        try copies.remove(key)
        var objects = [layout.object(checked)]
        for prefix in [layout.below(checked), layout.drafts(checked), layout.draftsBelow(checked)] {
            objects += try client.list(prefix).entries.map(\.name)
        }
        try client.delete(objects)
    }

    public func children(of prefix: String) throws -> [String] {
        let places =
            prefix.isEmpty
            ? [layout.prefix, layout.prefix + S3Layout.drafts]
            : try { key in [layout.below(key), layout.draftsBelow(key)] }(BlobKey(prefix))
        var names: Set<String> = []
        for place in places {
            let list = try client.list(place, delimiter: "/")
            names.formUnion(list.entries.map { String($0.name.dropFirst(place.count)) })
            names.formUnion(list.prefixes.map { String($0.dropFirst(place.count).dropLast()) })
        }
        return names.filter { !$0.isEmpty && !$0.hasPrefix(".") }.sorted()
    }

    /// Fetched to the local disk, where it is not there already.
    public func localPath(_ key: String) throws -> String? {
        let object = layout.object(try BlobKey(key))
        guard let info = try client.head(object) else { return nil }
        return try copies.path(key, info) { writer in
            guard info.count > 0 else { return }
            let found = try client.get(object, 0..<info.count, entityTag: info.entityTag) { try writer.write($0) }
            guard found != nil else { throw JobsError(.io, "\(key) was removed while it was fetched") }
        }
    }

    public func scratch() throws -> any ScratchFile { try copies.store.scratch() }

    /// Of the local disk, through which all goes; copies on it can be removed.
    ///
    /// - Throws: also where the bucket did not answer some seconds ago.
    public func availableBytes() throws -> Int64 {
        try health.check()
        return try copies.store.availableBytes() + copies.removableBytes
    }

    /// Removes copies on the local disk that were not used for longest.
    public func makeRoom(for bytes: Int64) throws -> Int64 {
        copies.makeRoom(onDisk: bytes)
        return try copies.store.availableBytes()
    }

    // MARK: Housekeeping

    /// Says whose blobs are under the prefix, where nobody has said so before.
    ///
    /// - Parameter installation: the same for all who share a database.
    /// - Throws: ``JobsError/Code/conflict`` where they are another's.
    public func claim(for installation: String) throws {
        let object = layout.prefix + S3Layout.installation
        func owner() throws -> String? {
            var bytes: [UInt8] = []
            let found = try client.get(object, 0..<1024) { bytes.append(contentsOf: $0) }
            return found.map { _ in String(decoding: bytes, as: UTF8.self) }
        }
        var found = try owner()
        if found == nil {
            try client.put(object, Payload(Array(installation.utf8)))
            // Of two who came together, the later.
            found = try owner()
        }
        guard found == installation else {
            throw JobsError(
                .conflict,
                "s3://\(client.location.bucket)/\(layout.prefix) belongs to another installation, "
                    + "\(found ?? "which has left"), whose database knows what is in it. Give each database a prefix of its "
                    + "own; where that one is no more, remove s3://\(client.location.bucket)/\(object)")
        }
    }

    /// Ends uploads, and removes drafts of writers, that were left by processes that died. Any number of processes may do
    /// it at any time: what is younger is left alone, and a blob that can be resumed is its owner's.
    ///
    /// - Parameter age: in seconds; more than the longest upload of a blob takes, and the longest job runs.
    /// - Returns: how many of both.
    public func removeAbandoned(olderThan age: Double) throws -> Int {
        let list = try client.list(layout.prefix + S3Layout.drafts)
        let drafts = list.entries.filter { entry in
            guard case .live? = entry.name.split(separator: "/").last.flatMap({ S3Draft($0) }) else { return false }
            return entry.modified < (list.date ?? client.now).addingTimeInterval(-age)
        }
        try client.delete(drafts.map(\.name))
        let (uploads, date) = try client.openUploads(layout.prefix)
        let limit = (date ?? client.now).addingTimeInterval(-age)
        let old = uploads.filter { $0.began < limit }
        for upload in old { try client.abort(upload) }
        return old.count + drafts.count
    }

    /// Tells one writer's objects from another's.
    func nonce() -> String { Hexadecimal.text(SystemEnvironment().randomBytes(8)) }
}
