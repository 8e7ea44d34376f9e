import HTTPServer
import Jobs

/// `GET /v1/jobs/{id}/results`: a box for every frame, in any of the formats.
struct ResultRoute: Sendable {
    private let services: Services
    private let exports: ResultExports

    static let parameters = ["format", "partial", "follow", "from", "to", "target"]

    init(services: Services) {
        self.services = services
        exports = ResultExports(services)
    }

    func results(_ context: RequestContext) throws -> HTTPResponse {
        let job = try services.keptJob(context)
        let format = try Self.format(context)
        let slice = try Self.slice(context)
        let encoder = try ResultEncoder(format: format, provenance: provenance(job, for: format), slice: slice)
        if try Self.isFollowed(context, format), !job.status.isFinal { return try follow(context, job, encoder) }
        let reader = try reader(job, isPartialWelcome: context.flag("partial"))
        let content = { (isWanted: @escaping @Sendable () -> Bool) in
            EncodedBody(
                try ResultStream(reader: reader, encoder: encoder, scratch: services.blobs.scratch),
                held: try held(for: job, format), isWanted: isWanted)
        }
        let pool = services.conversions(of: reader)
        guard job.status.isFinal else { return try growing(context, format, pool, content) }

        let coding = ContentCoding(context.request)
        let tag = tag(job, format, slice, coding)
        var response =
            if let answer = try Conditions.answer(tag, context.request) {
                answer
            } else if slice == ResultSlice(), let kept = try whole(context, job, format, coding, content) {
                try BlobResponse(services).make(
                    kept.reader, mediaType: format.mediaType, tag: tag, digest: kept.digest, for: context)
            } else {
                try streamed(context, format, coding, tag, pool, content)
            }
        if coding != .identity, response.status != 304 { response.fields["Content-Encoding"] = coding.rawValue }
        response.fields["Vary"] = "Accept, Accept-Encoding"
        return response
    }

    /// The whole of a final result: as it is stored, or in a form that is made of it and kept. `nil` where there is no
    /// space to keep it.
    private func whole(
        _ context: RequestContext, _ job: Job, _ format: ResultFormat, _ coding: ContentCoding, _ content: Content
    ) throws -> ResultExports.Kept? {
        if format == .ndjson, coding == .identity, let key = job.resultKey { return try exports.kept(key) }
        return try exports.open(job, format, coding) {
            try Self.coded(content { !context.request.hasClientLeft() }, coding)
        }
    }

    /// What is made while it is sent: its length is not known before, so it has neither ranges nor a digest.
    private func streamed(
        _ context: RequestContext, _ format: ResultFormat, _ coding: ContentCoding, _ tag: EntityTag,
        _ pool: ConversionPool, _ content: Content
    ) throws -> HTTPResponse {
        let body = try pool.body(for: context.tenant) { try Self.coded(content($0), coding) }
        var response = HTTPResponse(
            status: 200, fields: Self.fields(format, cacheControl: Conditions.privately), body: .stream(body))
        response.fields["ETag"] = tag.description
        response.fields["Accept-Ranges"] = "none"
        return response
    }

    /// A slice of what there is so far. It has no tag: the next answer is another.
    private func growing(
        _ context: RequestContext, _ format: ResultFormat, _ pool: ConversionPool, _ content: Content
    ) throws -> HTTPResponse {
        let body = try pool.body(for: context.tenant, base: content)
        var response = HTTPResponse(
            status: 200, fields: Self.fields(format, cacheControl: "no-store"), body: .stream(body))
        response.fields["Vary"] = "Accept"
        return response
    }

    private static func fields(_ format: ResultFormat, cacheControl: String) -> HTTPFields {
        HTTPFields([
            ("Content-Type", format.mediaType), ("X-Content-Type-Options", "nosniff"), ("Cache-Control", cacheControl),
        ])
    }

    private static func coded(
        _ body: EncodedBody, _ coding: ContentCoding
    ) throws(Problem) -> any HTTPBodyStream {
        guard coding == .gzip else { return body }
        guard let compressed = GzipBody(body) else {
            throw Problem(.unavailable, "There is no memory to compress the result. Try again.").retryAfter(1)
        }
        return compressed
    }

    /// Sent while it grows, until the job has ended.
    private func follow(
        _ context: RequestContext, _ job: Job, _ encoder: ResultEncoder
    ) throws(Problem) -> HTTPResponse {
        let body = try JobFeedBody(
            FollowFeed(encoder), job: job, key: context.key, needsResult: true, services: services)
        var response = HTTPResponse(
            status: 200, fields: Self.fields(.ndjson, cacheControl: "no-store"), body: .stream(body))
        response.fields["Vary"] = "Accept"
        response.fields.append(EventRoute.unbuffered.name, EventRoute.unbuffered.value)
        return response
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

    private static func isFollowed(_ context: RequestContext, _ format: ResultFormat) throws(Problem) -> Bool {
        guard try context.flag("follow") else { return false }
        guard format == .ndjson, try context.flag("partial") else {
            throw .at("#/follow", "Only a growing result can be followed: ask for format=ndjson&partial=true as well.")
        }
        return true
    }

    private static func slice(_ context: RequestContext) throws(Problem) -> ResultSlice {
        let slice = ResultSlice(
            from: try context.integer("from", in: SpecLimits.frame),
            to: try context.integer("to", in: SpecLimits.frame),
            target: try context.single("target"))
        if let from = slice.from, let to = slice.to, to < from {
            throw .at("#/to", "to must not be before from; frame \(to) itself is left out.")
        }
        return slice
    }

    // MARK: What there is

    /// Makes a body, which asks the argument whether it is wanted still.
    private typealias Content = (@escaping @Sendable () -> Bool) throws -> EncodedBody

    private func provenance(_ job: Job, for format: ResultFormat) -> ResultProvenance {
        var provenance = ResultProvenance(
            version: services.version, job: job.id, source: job.source, spec: job.spec)
        if format == .ndjson {
            // It is kept for as long as the result is followed, and is not in it.
            for index in provenance.spec.targets.indices {
                provenance.spec.targets[index].keyframes = []
                provenance.spec.targets[index].points = []
            }
        }
        provenance.isWhole = job.status == .succeeded
        return provenance
    }

    /// What a result with the spec in it takes until it is sent.
    ///
    /// - Throws: 503 where the spec is long and there is no room for it.
    private func held(for job: Job, _ format: ResultFormat) throws(Problem) -> HeldText? {
        guard format == .json, job.spec.isLong else { return nil }
        let bytes = job.spec.approximateTextBytes
        try services.requireRoom(for: bytes, of: job.tenant)
        return HeldText(services.textMemory, tenant: job.tenant, keeping: bytes)
    }

    private func reader(_ job: Job, isPartialWelcome: Bool) throws -> any BlobReader {
        if job.status.isFinal {
            guard let key = job.resultKey else { throw Self.nothingTracked(job) }
            guard let reader = try services.blobs.open(key) else { throw Self.notKept }
            return reader
        }
        guard isPartialWelcome else {
            throw Problem(
                .notReady, "The job is \(job.status.rawValue). What there is so far comes with ?partial=true."
            ).retryAfter(1)
        }
        return try services.blobs.openResult(of: job) ?? NothingReader()
    }

    static var notKept: Problem { Problem(.gone, "The job's result is not kept any more.") }

    private static func nothingTracked(_ job: Job) -> Problem {
        let reason = job.failure.map { ": \($0.message)" } ?? "."
        return Problem(.conflict, "The job has \(job.status.past) before a frame was tracked\(reason)")
    }

    /// A final result changes no more; what is made of it does with the program's version.
    private func tag(
        _ job: Job, _ format: ResultFormat, _ slice: ResultSlice, _ coding: ContentCoding
    ) -> EntityTag {
        let from = slice.from.map(String.init) ?? ""
        let to = slice.to.map(String.init) ?? ""
        let suffix = coding == .identity ? "" : "-\(coding.rawValue)"
        return EntityTag(
            "\(services.version)-\(job.attempt)-\(format.rawValue)-\(from)-\(to)-\(slice.target ?? "")\(suffix)")
    }
}

extension JobStatus {
    /// Goes after "The job".
    fileprivate var past: String { self == .canceled ? "been canceled" : rawValue }
}
