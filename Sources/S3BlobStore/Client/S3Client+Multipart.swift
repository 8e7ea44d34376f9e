import Dispatch
import Foundation
import Jobs
import Synchronization

/// A piece of an object that is put together.
struct S3Piece: Hashable, Sendable {
    var object: String
    var count: Int64
}

/// An upload that was begun and not ended.
struct S3OpenUpload: Hashable, Sendable {
    var object: String
    var id: String
    /// By the server's clock.
    var began: Date
}

/// A multipart upload of one object, whose parts may come from several threads. S3 takes parts of 5 MiB and more, but for
/// the last, and 10,000 of them.
final class S3Upload: Sendable {
    static let leastPart: Int64 = 5 << 20
    private static let mostParts: Int64 = 10_000
    /// What parts of a local blob have, as long as that makes no more than S3 takes.
    private static let usualPart: Int64 = 16 << 20

    private let client: S3Client
    private let object: String
    private let id: String
    private let parts = Mutex<[Int: String]>([:])

    /// Begins it.
    init(_ client: S3Client, _ object: String, digest: String?) throws {
        let fields = digest.map { [(name: S3Client.digestField, value: $0)] } ?? []
        let request = S3Request(method: "POST", object: object, query: [("uploads", "")], fields: fields)
        let response = try client.send(request)
        let xml = try client.parse(response, "InitiateMultipartUploadResult", of: request)
        guard let id = xml["UploadId"], !id.isEmpty else { throw client.malformed(request) }
        (self.client, self.object, self.id) = (client, object, id)
    }

    static func partSize(of count: Int64) -> Int64 {
        max(usualPart, (count + mostParts - 1) / mostParts)
    }

    /// - Parameter number: from 1.
    func put(_ number: Int, _ body: Payload) throws {
        let request = S3Request(method: "PUT", object: object, query: query(number), body: body)
        guard let tag = try client.send(request).entityTag else { throw client.malformed(request) }
        parts.withLock { $0[number] = tag }
    }

    /// Takes a part from an object of the bucket.
    func copy(_ number: Int, from source: String, _ range: Range<Int64>? = nil) throws {
        var fields = [(name: "x-amz-copy-source", value: client.copySource(source))]
        if let range {
            fields.append(("x-amz-copy-source-range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
        }
        let request = S3Request(
            method: "PUT", object: object, query: query(number), fields: fields, mayFailLate: true,
            stallSeconds: S3Client.copySeconds)
        let xml = try client.parse(try client.send(request), "CopyPartResult", of: request)
        guard let tag = xml["ETag"] else { throw client.malformed(request) }
        parts.withLock { $0[number] = tag }
    }

    /// Ends it: the object is there.
    ///
    /// - Parameter count: bytes that it must have then.
    /// - Returns: its entity tag.
    func complete(count: Int64) throws -> String? {
        let list = parts.withLock { $0 }.sorted { $0.key < $1.key }.map { number, tag in
            "<Part><PartNumber>\(number)</PartNumber><ETag>\(S3XMLReader.escape(tag))</ETag></Part>"
        }
        let body = "<CompleteMultipartUpload>\(list.joined())</CompleteMultipartUpload>"
        let request = S3Request(
            method: "POST", object: object, query: [("uploadId", id)], body: Payload(Array(body.utf8)), accepts: [404],
            mayFailLate: true, stallSeconds: S3Client.copySeconds)
        let response = try client.send(request)
        // 404: a first attempt has ended it, and only its answer was lost; or it was aborted.
        guard let info = try client.head(object), info.count == count else {
            throw JobsError(
                .io,
                "s3://\(client.location.bucket)/\(object) is not there as it was uploaded: "
                    + (response.isMissing ? "its upload was aborted" : "its length is another"))
        }
        return info.entityTag
    }

    /// Gives it up. What cannot be removed now is found by ``S3Client/openUploads(_:)``.
    func abort() { try? client.abort(S3OpenUpload(object: object, id: id, began: .distantPast)) }

    private func query(_ number: Int) -> [(name: String, value: String)] {
        [("partNumber", String(number)), ("uploadId", id)]
    }
}

extension S3Client {
    /// Parts on their way at a time.
    private static let concurrentParts = 4

    /// Puts a local blob, in parts where it is long. Nothing of it stays where that fails.
    ///
    /// - Parameter digest: of the blob; what is read of it is held against it before the object is there.
    /// - Returns: the entity tag.
    /// - Throws: ``JobsError/Code/corrupt`` where the local blob has another digest.
    func upload(_ blob: any BlobReader, to object: String, digest: String) throws -> String? {
        let partSize = S3Upload.partSize(of: blob.count)
        guard blob.count > partSize else {
            let body = try Payload(0..<blob.count, of: blob.read)
            guard body.sha256 == digest else { throw damaged(object) }
            return try put(object, body, digest: digest)
        }
        let upload = try S3Upload(self, object, digest: digest)
        do {
            guard try send(blob, partSize, through: upload) == digest else { throw damaged(object) }
            return try upload.complete(count: blob.count)
        } catch {
            upload.abort()
            throw error
        }
    }

    /// - Returns: the digest of what was read.
    private func send(_ blob: any BlobReader, _ partSize: Int64, through upload: S3Upload) throws -> String {
        let places = DispatchSemaphore(value: Self.concurrentParts)
        let group = DispatchGroup()
        let queue = DispatchQueue(label: "s3-parts", attributes: .concurrent)
        let failure = Mutex<(any Error)?>(nil)
        var digest = RunningDigest()
        defer { group.wait() }
        for (index, start) in stride(from: 0, to: blob.count, by: Int64.Stride(partSize)).enumerated() {
            if let error = failure.withLock({ $0 }) { throw error }
            let range = start..<min(start + partSize, blob.count)
            places.wait()
            let body: PartBody
            do {
                body = PartBody(payload: try Payload(range, of: blob.read) { digest.update($0) })
            } catch {
                places.signal()
                throw error
            }
            queue.async(group: group) {
                defer { places.signal() }
                do {
                    try upload.put(index + 1, body.payload)
                } catch {
                    failure.withLock { $0 = $0 ?? error }
                }
            }
        }
        group.wait()
        if let error = failure.withLock({ $0 }) { throw error }
        return digest.text
    }

    /// A part's bytes, handed to one other thread. Its source reads a file by position, which any thread may.
    private struct PartBody: @unchecked Sendable { let payload: Payload }

    private func damaged(_ object: String) -> JobsError {
        JobsError(.corrupt, "the local copy for s3://\(location.bucket)/\(object) is not what was written to it")
    }

    /// Puts an object together from others, in their order; long ones are copied within S3, short ones read and written
    /// again with their neighbours.
    ///
    /// - Parameter willPut: called before each part, and at the end before the object is there; may throw to end it all.
    func compose(
        _ pieces: [S3Piece], into object: String, digest: String? = nil, willPut: () throws -> Void = {}
    ) throws {
        let total = pieces.reduce(0) { $0 + $1.count }
        let groups = S3Composition.groups(pieces, total: total)
        guard groups.count > 1 || total > S3Upload.leastPart else {
            let bytes = try read(pieces)
            try willPut()
            try put(object, Payload(bytes), digest: digest)
            return
        }
        let upload = try S3Upload(self, object, digest: digest)
        do {
            for (index, group) in groups.enumerated() {
                try willPut()
                switch group {
                case .copied(let piece, let range): try upload.copy(index + 1, from: piece.object, range)
                case .joined(let pieces): try upload.put(index + 1, Payload(try read(pieces)))
                }
            }
            try willPut()
            _ = try upload.complete(count: total)
        } catch {
            upload.abort()
            throw error
        }
    }

    /// The bytes of pieces, of which the caller knows that they are few.
    private func read(_ pieces: [S3Piece]) throws -> [UInt8] {
        var bytes: [UInt8] = []
        for piece in pieces where piece.count > 0 {
            let before = bytes.count
            try get(piece.object, 0..<piece.count) { bytes.append(contentsOf: $0) }
            guard bytes.count - before == piece.count else {
                throw JobsError(.io, "s3://\(location.bucket)/\(piece.object) is gone, or shorter than it was")
            }
        }
        return bytes
    }

    /// Uploads under a prefix that were begun and not ended.
    func openUploads(_ prefix: String) throws -> (uploads: [S3OpenUpload], date: Date?) {
        var uploads: [S3OpenUpload] = []
        var marker: (key: String, id: String)?
        var markers: Set<[String]> = []
        var date: Date?
        for _ in 0..<Self.mostPages {
            var query = [(name: "uploads", value: ""), (name: "prefix", value: prefix)]
            if let marker { query += [("key-marker", marker.key), ("upload-id-marker", marker.id)] }
            let request = S3Request(method: "GET", query: query)
            let response = try send(request)
            let xml = try parse(response, "ListMultipartUploadsResult", of: request)
            uploads += xml.all("Upload").compactMap { upload in
                guard let key = upload["Key"], let id = upload["UploadId"],
                    let began = upload["Initiated"].flatMap({ RFC3339.date($0) })
                else { return nil }
                return S3OpenUpload(object: key, id: id, began: began)
            }
            date = date ?? response.date
            guard xml["IsTruncated"] == "true", let key = xml["NextKeyMarker"] else { return (uploads, date) }
            let next = (key, xml["NextUploadIdMarker"] ?? "")
            guard markers.insert([next.0, next.1]).inserted else { throw endless }
            marker = next
        }
        throw endless
    }

    /// No error where it is not there any more.
    func abort(_ upload: S3OpenUpload) throws {
        _ = try send(
            S3Request(method: "DELETE", object: upload.object, query: [("uploadId", upload.id)], accepts: [404]))
    }
}

/// How an object is put together from pieces, each part with at least 5 MiB but for the last.
enum S3Composition {
    enum Group: Equatable {
        /// A whole piece, or a range of it.
        case copied(S3Piece, Range<Int64>?)
        case joined([S3Piece])
    }

    /// - Parameter total: bytes of all pieces.
    static func groups(_ pieces: [S3Piece], total: Int64) -> [Group] {
        // No more than 10,000 parts, however many pieces there are.
        let least = max(S3Upload.leastPart, total / 9_000)
        var groups: [Group] = []
        var waiting: [S3Piece] = []
        for piece in pieces where piece.count > 0 {
            if waiting.isEmpty, piece.count >= least {
                groups += copied(piece)
                continue
            }
            waiting.append(piece)
            if waiting.reduce(0, { $0 + $1.count }) >= least {
                groups.append(.joined(waiting))
                waiting = []
            }
        }
        if !waiting.isEmpty { groups.append(.joined(waiting)) }
        return groups
    }

    /// In ranges where it is longer than what one request may copy.
    private static func copied(_ piece: S3Piece) -> [Group] {
        guard piece.count > S3Client.mostCopied else { return [.copied(piece, nil)] }
        let count = (piece.count + S3Client.mostCopied - 1) / S3Client.mostCopied
        let size = (piece.count + count - 1) / count
        return stride(from: 0, to: piece.count, by: Int64.Stride(size)).map { start in
            .copied(piece, start..<min(start + size, piece.count))
        }
    }
}
