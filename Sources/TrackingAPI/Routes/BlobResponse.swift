import HTTPServer
import Jobs
import Synchronization

/// A stored blob as an answer: conditional on its entity tag (RFC 9110 §13), whole or a range of it (§14).
struct BlobResponse {
    private let bucketReads: ConversionPool

    init(_ services: Services) { bucketReads = services.bucketReads }

    /// - Parameters:
    ///   - tag: strong; the blob never changes under it.
    ///   - digest: SHA-256 of the whole blob in hexadecimal; sent where the client does not say that it has no use for it.
    ///   - name: what it should be called when it is saved.
    /// - Throws: 503 where it is in a bucket and too many such are being sent; 412 and 416.
    func make(
        _ reader: any BlobReader, mediaType: String, tag: EntityTag, digest: String? = nil, name: DownloadName? = nil,
        for context: RequestContext
    ) throws -> HTTPResponse {
        let request = context.request
        if let answer = try Conditions.answer(tag, request) { return answer }
        var fields = HTTPFields([
            ("Content-Type", mediaType), ("ETag", tag.description), ("Accept-Ranges", "bytes"),
            ("Cache-Control", Conditions.privately),
            // What a client sent goes out as what we recognised it as, never as a page.
            ("X-Content-Type-Options", "nosniff"),
        ])
        if let digest { fields["Repr-Digest"] = ReprDigest.value(sha256: digest, for: request) }
        if let name { fields["Content-Disposition"] = name.disposition }
        let range = Conditions.range(tag, reader.count, request)
        let contentRange = HTTPFields(range.contentRange(count: reader.count).map { [("Content-Range", $0)] } ?? [])
        switch range {
        case .whole:
            return HTTPResponse(status: 200, fields: fields, body: try body(reader, 0..<reader.count, context))
        case .part(let bytes):
            fields["Content-Range"] = contentRange["Content-Range"]
            return HTTPResponse(status: 206, fields: fields, body: try body(reader, bytes, context))
        case .unsatisfiable:
            throw Problem(.rangeNotSatisfiable, "There are \(reader.count) bytes.", fields: contentRange)
        }
    }

    /// A file is read on the connection's thread; a bucket, which may not answer, is not.
    private func body(
        _ reader: any BlobReader, _ range: Range<Int64>, _ context: RequestContext
    ) throws -> HTTPBody {
        let body = BlobBody(reader, range)
        // An answer to HEAD has only the body's length.
        guard reader.fileDescriptor == nil, !context.request.isHead else { return .stream(body) }
        return .stream(try bucketReads.body(for: context.tenant) { _ in body })
    }
}

/// A range of a blob, read while it is sent.
final class BlobBody: HTTPBodyStream {
    private let reader: any BlobReader
    private let range: Range<Int64>
    private let position: Mutex<Int64>

    init(_ reader: any BlobReader, _ range: Range<Int64>) {
        self.reader = reader
        self.range = range
        position = Mutex(range.lowerBound)
    }

    var count: Int64? { Int64(range.count) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try position.withLock { position in
            let wanted = min(Int64(buffer.count), range.upperBound - position)
            guard wanted > 0 else { return 0 }
            let count = try reader.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(wanted)]), at: position)
            position += Int64(count)
            return count
        }
    }
}
