import HTTPServer
import Jobs

/// A complete upload that becomes a job's source, without a copy where the store can do without.
///
/// The order leaves no job without its source and no upload without its bytes, wherever it ends: the bytes get a second
/// key, the job's; one transaction makes the job and gives it the upload; then the first key goes. What a crash leaves
/// is a blob of no job or of no upload, and both are swept.
struct UploadedSource: Sendable {
    static let pointer = "#/source/upload"
    private static let field = SourceField.upload

    let upload: Upload
    let services: Services
    /// Where the request named it.
    var pointer = UploadedSource.pointer

    /// The upload that a request names; whether it can be had is another question.
    ///
    /// - Throws: 422 where there is none.
    static func find(
        _ reference: JSONValue, at pointer: String, tenant: TenantID, services: Services
    ) throws -> UploadedSource {
        guard let id = reference.stringValue.flatMap({ UploadID($0) }),
            let upload = try services.uploads.upload(id, tenant: tenant),
            upload.job != nil || upload.expiresAt > services.environment.now()
        else { throw Problem.at(pointer, noSuchUpload) }
        return UploadedSource(upload: upload, services: services, pointer: pointer)
    }

    static let noSuchUpload = "there is no upload with this id; it may have expired"

    /// The upload's file, to be looked into. The upload stays what it is.
    ///
    /// - Throws: as ``source(of:)``.
    func file() throws -> (kind: JobSource.Kind, path: String) {
        let reader = try whole()
        let media = try Self.field.check(services.media.recognise(prefix: prefix(reader)), fileName: nil)
        let kind = media.kind == .archive ? JobSource.Kind.archive : .video
        let path = try services.blobs.decodablePath(
            of: upload.id.dataKey, kind, bytes: reader.count, leaving: services.configuration.diskReserveBytes)
        guard let path else { throw try gone() }
        return (kind, path)
    }

    /// Gives the bytes the job's key. The upload stays what it is.
    ///
    /// - Throws: 409 where it is taken or not complete; 415 or 422 for what cannot be tracked.
    func source(of job: JobID) throws -> JobSource {
        do {
            return try take(job)
        } catch {
            // Whatever it was, it was so because somebody was faster: another job, a DELETE, the sweeper.
            if try upload.job == nil && !services.uploads.isOpen(upload.id) { throw try gone() }
            throw error
        }
    }

    private func take(_ job: JobID) throws -> JobSource {
        let reader = try whole()
        let name = try UploadMetadata(upload.metadata).fileName
        guard reader.count > 0 else { throw Self.field.empty(fileName: name) }
        let media = try Self.field.check(services.media.recognise(prefix: prefix(reader)), fileName: name)
        let digest = try digest(reader)
        guard try services.blobs.copy(upload.id.dataKey, to: job.sourceKey) else { throw try gone() }
        return JobSource(
            kind: media.kind == .archive ? .archive : .video, blobKey: job.sourceKey, bytes: reader.count,
            sha256: digest, fileName: name)
    }

    /// Queues the job, to which the upload then belongs.
    ///
    /// - Throws: 409 where another was faster.
    func submit(_ job: Job) throws {
        guard try services.uploads.submit(job, taking: upload.id) else { throw try gone() }
        services.removeBytes(of: upload.id)
    }

    /// The same for a submission that its client has named.
    ///
    /// - Returns: the earlier attempt where there was one; the upload stays what it is then.
    func submit(_ job: Job, as attempt: IdempotentAttempt) throws -> IdempotentAttempt? {
        switch try services.uploads.submit(job, taking: upload.id, as: attempt) {
        case .kept:
            services.removeBytes(of: upload.id)
            return nil
        case .repeated(let earlier): return earlier
        case .unavailable: throw try gone()
        }
    }

    // MARK: Helpers

    /// The upload's bytes, once it is known that they are all there.
    private func whole() throws -> any BlobReader {
        if let job = upload.job { throw taken(by: job) }
        guard let length = upload.length, length > 0 else {
            if upload.isComplete { throw Self.field.empty(fileName: nil) }
            throw unfinished(try services.durableOffset(of: upload))
        }
        let offset = try services.durableOffset(of: upload)
        guard offset == length else { throw unfinished(offset) }
        do {
            // Nobody appends to a complete upload; `nil` where an earlier submission came this far.
            if let appender = try services.blobs.resume(upload.id.dataKey) {
                defer { appender.close() }
                try appender.rewind(to: length)
                try appender.commit()
            }
        } catch let error as JobsError where error.code == .locked {
            throw Problem.at(
                pointer, "Another request is using the upload at the moment. Try again.", as: .conflict
            ).retryAfter(1)
        }
        guard let reader = try services.blobs.open(upload.id.dataKey), reader.count == length else {
            throw try gone()
        }
        return reader
    }

    private func unfinished(_ offset: Int64) -> Problem {
        let rest = upload.length.map { "\(offset) of its \($0) bytes are there" } ?? "its length is not known yet"
        return .at(
            pointer, "The upload is not complete: \(rest). Go on from offset \(offset).", as: .conflict)
    }

    private func taken(by job: JobID) -> Problem {
        .at(
            pointer,
            "The job \(job) has taken this upload already. To track its video again, give {\"job\": \"\(job)\"}.",
            as: .conflict)
    }

    private func gone() throws -> Problem {
        if let job = try services.uploads.upload(upload.id, tenant: upload.tenant)?.job { return taken(by: job) }
        return .at(pointer, "The upload is there no more; send it again.")
    }

    private func prefix(_ reader: any BlobReader) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: APILimits.recognitionBytes) { buffer, count in
            count = try reader.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
    }

    /// SHA-256 in lower-case hexadecimal: as it was made while the bytes came, or read, where they came over several
    /// processes.
    private func digest(_ reader: any BlobReader) throws -> String {
        if let known = services.uploadDigests.digest(of: upload.id, count: reader.count) { return known.text }
        var digest = UploadDigests.Digest()
        try withUnsafeTemporaryAllocation(byteCount: APILimits.chunkBytes, alignment: 16) { buffer in
            while case let count = try reader.read(into: buffer, at: digest.count), count > 0 {
                digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
        return digest.text
    }
}
