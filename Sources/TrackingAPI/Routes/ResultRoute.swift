import HTTPServer
import Jobs
import Synchronization

/// `GET /v1/jobs/{id}/results`: a box for every frame, in any of the formats.
struct ResultRoute: Sendable {
    let services: Services

    static let parameters = ["format", "partial", "from", "to", "target"]

    func results(_ context: RequestContext) throws -> HTTPResponse {
        let job = try services.job(context)
        let format = try Self.format(context)
        let slice = try Self.slice(context)
        let encoder = try ResultEncoder(
            format: format,
            provenance: ResultProvenance(version: services.version, job: job.id, source: job.source, spec: job.spec),
            slice: slice)
        let reader = try reader(job, isPartialWelcome: context.flag("partial"))
        guard job.status.isFinal else { return Self.growing(ResultStream(reader: reader, encoder: encoder), format) }

        let tag = tag(job, format, slice)
        var response: HTTPResponse
        if format == .ndjson && slice == ResultSlice() {
            response = try BlobResponse.make(reader, mediaType: format.mediaType, tag: tag, for: context.request)
        } else if let answer = try Conditions.answer(tag, context.request) {
            response = answer
        } else {
            response = Self.response(ResultStream(reader: reader, encoder: encoder), format)
            response.fields["ETag"] = tag.description
            response.fields["Cache-Control"] = "private, no-cache"
        }
        response.fields["Vary"] = "Accept"
        return response
    }

    /// A slice of what there is so far. It has no tag: the next answer is another.
    private static func growing(_ stream: ResultStream, _ format: ResultFormat) -> HTTPResponse {
        var response = response(stream, format)
        response.fields["Cache-Control"] = "no-store"
        response.fields["Vary"] = "Accept"
        return response
    }

    private static func response(_ stream: ResultStream, _ format: ResultFormat) -> HTTPResponse {
        HTTPResponse(
            status: 200,
            fields: HTTPFields([("Content-Type", format.mediaType), ("X-Content-Type-Options", "nosniff")]),
            body: .stream(EncodedBody(stream)))
    }

    // MARK: What is asked for

    private static func format(_ context: RequestContext) throws(Problem) -> ResultFormat {
        let known = ResultFormat.allCases.map(\.rawValue).joined(separator: ", ")
        if let name = try context.single("format") {
            if let format = ResultFormat(name: name) { return format }
            throw Problem(
                .notAcceptable, "There is no format \(ClientText.quoted(name)); there are \(known).",
                errors: [Problem.FieldError(pointer: "#/format", detail: "must be one of \(known)")])
        }
        let accept = context.request.fields.all("Accept").joined(separator: ", ")
        if let format = ResultFormat.negotiate(accept: accept.isEmpty ? nil : accept) { return format }
        throw Problem(
            .notAcceptable,
            "None of the accepted media types can be made; ask by ?format= for \(known), or accept application/json.")
    }

    private static func slice(_ context: RequestContext) throws(Problem) -> ResultSlice {
        let slice = ResultSlice(
            from: try context.integer("from", in: 0...Int.max), to: try context.integer("to", in: 0...Int.max),
            target: try context.single("target"))
        if let from = slice.from, let to = slice.to, to < from {
            throw .at("#/to", "to must not be before from; frame \(to) itself is left out.")
        }
        return slice
    }

    // MARK: What there is

    private func reader(_ job: Job, isPartialWelcome: Bool) throws -> any BlobReader {
        if job.status.isFinal {
            guard let key = job.resultKey else { throw Self.nothingTracked(job) }
            guard let reader = try services.blobs.open(key) else {
                throw Problem(.gone, "The job's result is not kept any more.")
            }
            return reader
        }
        guard isPartialWelcome else {
            throw Problem(
                .notReady, "The job is \(job.status.rawValue). What there is so far comes with ?partial=true."
            ).retryAfter(1)
        }
        guard job.attempt > 0 else { return NothingReader() }
        let key = job.id.resultKey(attempt: job.attempt)
        // Committed between the two looks, it is no longer partial.
        return try services.blobs.openPartial(key) ?? services.blobs.open(key) ?? NothingReader()
    }

    private static func nothingTracked(_ job: Job) -> Problem {
        let reason = job.failure.map { ": \($0.message)" } ?? "."
        return Problem(.conflict, "The job has \(job.status.past) before a frame was tracked\(reason)")
    }

    /// A final result changes no more; what is made of it does with the program's version.
    private func tag(_ job: Job, _ format: ResultFormat, _ slice: ResultSlice) -> EntityTag {
        let from = slice.from.map(String.init) ?? ""
        let to = slice.to.map(String.init) ?? ""
        return EntityTag(
            "\(services.version)-\(job.attempt)-\(format.rawValue)-\(from)-\(to)-\(slice.target ?? "")")
    }
}

extension JobStatus {
    /// Goes after "The job".
    fileprivate var past: String { self == .canceled ? "been canceled" : rawValue }
}

/// A result in one of the formats, made while it is sent.
private final class EncodedBody: HTTPBodyStream {
    private let stream: ResultStream
    private let pending = Mutex<ArraySlice<UInt8>>([])

    init(_ stream: ResultStream) { self.stream = stream }

    var count: Int64? { nil }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try pending.withLock { pending in
            if pending.isEmpty { pending = try stream.next()?[...] ?? [] }
            let count = min(pending.count, buffer.count)
            buffer.copyBytes(from: pending.prefix(count))
            pending = pending.dropFirst(count)
            return count
        }
    }
}

/// The result of a job that no worker has begun.
private final class NothingReader: BlobReader {
    var count: Int64 { 0 }
    var fileDescriptor: Int32? { nil }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int { 0 }
}
