import Foundation
import HTTPServer
import Jobs

/// What the head of a request says about the bytes that come with it.
struct UploadChunk: Sendable {
    /// Where the client thinks that they belong.
    var offset: Int64
    /// How many there are; `nil` where only their end tells.
    var count: Int64?
    /// `Upload-Length`, which a client may tell late.
    var uploadLength: Int64?
    var checksum: UploadChecksum?
}

/// The bytes of one request on their way into an upload. Used by one thread at a time.
///
/// What came is kept whatever becomes of the request: it is made durable and written down now and then, and at the end.
/// Not so with a checksum: then all of it is kept or nothing.
struct UploadWriter: Sendable {
    /// Bytes that a crash may cost at most.
    private static let savedBytes: Int64 = 16 << 20
    /// Seconds whose bytes a crash may cost at most.
    private static let savedSeconds = 5.0

    private let services: Services
    /// As the store has it.
    private var upload: Upload
    /// `nil` where every byte is there already.
    private let appender: (any BlobAppender)?
    private let share: DiskShare
    /// What is to come to an upload that has no length yet, beyond what the store knows of: it counts for the quota.
    private let arriving: ArrivingShare
    private let start: Int64
    private let length: Int64?
    private var checksum: UploadChecksum?
    /// Of everything up to the position, where it is known.
    private var digest: UploadDigests.Digest?
    private var position: Int64
    private var savedAt: Date
    /// The upload is no longer this writer's to change.
    private var isLost = false

    /// Takes the upload's lock.
    ///
    /// - Throws: 404, 410; 423 while another request writes; 409 where the offset is another; 413 for more bytes than
    ///   belong there; 507 where the disk has no room for them, or the tenant may not store as much.
    init(_ chunk: UploadChunk, to id: UploadID, tenant: TenantID, services: Services) throws {
        let seen = try services.openUpload(id, tenant: tenant)
        let isWhole = try seen.isComplete && services.durableOffset(of: seen) == seen.offset
        let appender = isWhole ? nil : try Self.resume(id, services)
        // Again, under the lock: the request before this one may have come to its end in between.
        let upload = try services.openUpload(id, tenant: tenant)
        let offset = min(upload.offset, appender?.count ?? upload.offset)
        self.services = services
        self.upload = upload
        self.appender = appender
        share = services.space.share()
        arriving = ArrivingShare(services.arriving, of: tenant)
        self.checksum = chunk.checksum
        digest = services.uploadDigests.digest(of: id, count: offset)
        (start, position, savedAt) = (offset, offset, services.environment.now())
        do {
            guard chunk.offset == offset else { throw Self.conflict(chunk.offset, offset) }
            length = try Self.agreedLength(chunk.uploadLength, upload, offset, services)
            try checkRoom(for: chunk.count ?? 0)
            try share.announce(chunk.count ?? 0)
            try appender?.rewind(to: offset)
            if upload.length == nil {
                // From now on the store counts all of it, before a byte of it is written.
                if length != nil {
                    try note(offset)
                } else if let count = chunk.count {
                    try expect(max(0, offset + count - upload.offset))
                }
            }
        } catch {
            appender?.close()
            throw error
        }
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        try checkRoom(for: Int64(bytes.count))
        guard let appender, !bytes.isEmpty else { return }
        try expect(upTo: position + Int64(bytes.count))
        try share.use(Int64(bytes.count))
        try appender.write(bytes)
        position += Int64(bytes.count)
        checksum?.update(bytes)
        digest?.update(bytes)
        if checksum == nil, isSaveDue { try save() }
    }

    /// The request is whole.
    ///
    /// - Returns: the upload as it is now.
    /// - Throws: 460 where the checksum does not match; the bytes are dropped.
    mutating func finish() throws -> Upload {
        try checksum?.verify()
        checksum = nil
        try save()
        services.uploadDigests.keep(digest, of: upload.id)
        close()
        return upload
    }

    /// Lets the next request in.
    func close() {
        appender?.close()
        share.end()
        arriving.end()
    }

    /// The request came to no good end: keeps what may be kept, and lets the next one in.
    mutating func giveUp() {
        defer { close() }
        do {
            if checksum != nil {
                try appender?.rewind(to: start)
            } else if !isLost, position != upload.offset || length != upload.length {
                try save()
                services.uploadDigests.keep(digest, of: upload.id)
            }
        } catch {
            services.logger.error(
                "what came of an upload could not be kept", metadata: ["upload": "\(upload.id)", "error": "\(error)"])
        }
    }

    // MARK: Helpers

    private var isSaveDue: Bool {
        position - upload.offset >= Self.savedBytes
            || services.environment.now().timeIntervalSince(savedAt) >= Self.savedSeconds
    }

    /// Bytes first, then the offset: what the client is told is on the disk.
    private mutating func save() throws {
        do {
            try appender?.checkpoint()
        } catch {
            // Of an upload that was removed meanwhile, better tell that.
            _ = try services.openUpload(upload.id, tenant: upload.tenant)
            throw error
        }
        try note(position)
    }

    /// - Throws: 507 where the tenant may not store as much.
    private mutating func note(_ offset: Int64) throws {
        guard
            let moved = try services.uploads.advance(
                upload, to: offset, length: length, expiresAt: services.uploadExpiry)
        else {
            isLost = true
            _ = try services.openUpload(upload.id, tenant: upload.tenant)
            throw Problem(.conflict, "Another request has changed the upload meanwhile. Ask for its offset.")
        }
        arriving.remove(max(0, moved.offset - upload.offset))
        upload = moved
        savedAt = services.environment.now()
    }

    private static func resume(_ id: UploadID, _ services: Services) throws -> any BlobAppender {
        do {
            if let appender = try services.blobs.resume(id.dataKey) { return appender }
        } catch let error as JobsError where error.code == .locked {
            throw Problem(.locked, "Another request is writing to this upload. Try again.", cause: error.message)
                .retryAfter(1)
        }
        throw Problem(.conflict, "The upload cannot be continued. Begin a new one.", cause: "it is finished already")
    }

    private static func conflict(_ claimed: Int64, _ offset: Int64) -> Problem {
        Problem(
            .conflict, "The upload's offset is \(offset), not \(claimed). Go on from there.",
            fields: HTTPFields([("Upload-Offset", String(offset))]))
    }

    private static func agreedLength(
        _ told: Int64?, _ upload: Upload, _ offset: Int64, _ services: Services
    ) throws(Problem) -> Int64? {
        guard let told else { return upload.length }
        if let known = upload.length, known != told {
            throw Problem(.malformed, "Upload-Length is \(known) for good, and cannot become \(told).")
        }
        guard told >= offset else {
            throw Problem(.malformed, "Upload-Length is \(told), but \(offset) bytes are there already.")
        }
        try UploadRoutes.checkLength(told, services)
        return told
    }

    /// Counts what comes unannounced to an upload that has no length yet: a MiB at a time where the tenant has that left.
    /// One that has a length counts with all of it in the store.
    ///
    /// - Throws: 507 where the tenant may not store as much.
    private func expect(upTo end: Int64) throws {
        guard upload.length == nil else { return }
        let missing = end - upload.offset - arriving.count
        guard missing > 0 else { return }
        if missing < DiskSpace.interval, (try? expect(DiskSpace.interval)) != nil { return }
        try expect(missing)
    }

    private func expect(_ bytes: Int64) throws {
        let before = arriving.add(bytes)
        do {
            try Admission(services: services).checkStored(for: bytes, after: before, of: upload.tenant)
        } catch {
            arriving.remove(bytes)
            throw error
        }
    }

    private func checkRoom(for count: Int64) throws(Problem) {
        let limit = length ?? services.configuration.uploadBytes
        guard count <= limit - position else {
            throw Problem(
                .tooLarge,
                length == nil
                    ? "An upload may have at most \(limit) bytes (limits.upload_bytes)."
                    : "The upload has \(limit) bytes, of which \(position) are there; more than the rest came.")
        }
    }
}
