import HTTPServer
import Jobs

/// Final results in other forms than the stored one: made when they are first asked for, once however many ask, and
/// kept with the job's blobs. So every form has a length, ranges and a digest, and is converted no second time.
///
/// Only whole results are kept: there is a small number of them, while slices are as many as a client can think of.
final class ResultExports: Sendable {
    /// A form, as it was kept.
    struct Kept {
        let reader: any BlobReader
        /// SHA-256 in hexadecimal.
        let digest: String
    }

    private let services: Services
    private let locks = KeyedLock()
    /// Making a form of a long result, or waiting for it, holds one of the server's handler threads.
    private let holders: ConcurrencyLimit

    init(_ services: Services) {
        self.services = services
        holders = ConcurrencyLimit(services.configuration.exports)
    }

    /// Opens a form of a job's result, which is made first where it is not there.
    ///
    /// - Parameter content: makes it.
    /// - Returns: `nil` where there is no space to keep it, or the tenant may store no more.
    func open(
        _ job: Job, _ format: ResultFormat, _ coding: ContentCoding, _ content: () throws -> any HTTPBodyStream
    ) throws -> Kept? {
        let suffix = coding == .identity ? "" : ".\(coding.rawValue)"
        let key = job.id.exportKey(
            attempt: job.attempt, version: services.version, name: format.rawValue + suffix)
        if let kept = try kept(key) { return kept }
        let made = try holders.run(job.tenant) {
            try locks.withLock(key) { try kept(key) ?? make(key, job, content) }
        }
        guard let made else {
            throw Problem(.unavailable, "Too many results are being converted now. Try again.").retryAfter(1)
        }
        return made
    }

    /// What is already there in a key; the stored result itself has one, too.
    func kept(_ key: String) throws -> Kept? {
        guard let reader = try services.blobs.open(key), let digest = try services.blobs.digest(key) else { return nil }
        return Kept(reader: reader, digest: digest)
    }

    private func make(_ key: String, _ job: Job, _ content: () throws -> any HTTPBodyStream) throws -> Kept? {
        guard try hasRoom(job.tenant) else { return nil }
        let writer = try ReserveKeepingWriter(creating: key, expecting: 0, services: services)
        let bytes: Int64
        do {
            try Self.copy(try content(), to: writer)
            bytes = writer.count
            _ = try writer.commit()
        } catch  where Problem(wrapping: error).kind == .storageFull {
            writer.abort()
            return nil
        } catch is CancellationError {
            writer.abort()
            throw Problem(.unavailable, "The client left.")
        } catch {
            writer.abort()
            throw error
        }
        // A deletion meanwhile removed what there was before; whoever looks for the job now does not find it.
        guard try services.store.exists(job.id) else {
            try services.blobs.remove(job.id.blobPrefix)
            throw RequestContext.noSuchJob
        }
        try services.store.addStoredBytes(bytes, to: job.id)
        return try kept(key)
    }

    private func hasRoom(_ tenant: TenantID) throws -> Bool {
        guard try services.blobs.availableBytes() > services.configuration.diskReserveBytes else { return false }
        do {
            try Admission(services: services).checkStored(for: 1, of: tenant)
            return true
        } catch let error as JobsError where error.code == .storedQuotaExceeded {
            return false
        }
    }

    private static func copy(_ body: any HTTPBodyStream, to writer: any BlobWriter) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: APILimits.chunkBytes, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try body.read(into: buffer)
            guard count > 0 else { return }
            try writer.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
