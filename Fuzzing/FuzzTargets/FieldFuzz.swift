import HTTPServer
import Jobs
import TrackingAPI

/// `name: value` a line, as the guard lets it through: what the service makes of fields that have a meaning.
enum FieldFuzz {
    static func run(_ bytes: [UInt8]) {
        let fields = bytes.lines.map { $0.halves(at: ":") }
        let head = RawHead(
            method: "GET", target: "/v1/uploads", version: "HTTP/1.1", fields: [("Host", "localhost")] + fields)
        let guardian = ProtocolGuard(headBytes: 32 * 1024, headFields: 100, targetBytes: 8 * 1024)
        guard let request = try? guardian.request(head, remoteAddress: "127.0.0.1", id: "fuzz") else { return }
        uploads(request)
        checkKey(request)
        conditions(request)
        for name in ["Last-Event-ID", "Prefer", "Accept", "Content-Type", "traceparent"] {
            for value in request.fields.all(name) { check(value, of: name, request) }
        }
    }

    // MARK: tus

    private static func uploads(_ request: HTTPRequest) {
        for name in ["Upload-Length", "Upload-Offset"] {
            guard let count = try? Tus.bytes(name, request) else { continue }
            precondition(count >= 0, "a negative number of bytes")
            let again = request.with([(name, String(count))])
            precondition((try? Tus.bytes(name, again)) == count, "a number is not read as it is written")
        }
        _ = try? Tus.hasBody(request)
        if let checksum = try? UploadChecksum.of(request) { _ = try? checksum.verify() }
        guard let metadata = try? UploadMetadata(request) else { return }
        precondition((try? UploadMetadata(metadata.text)) == metadata, "metadata are not read as they are stored")
        precondition(
            metadata.text.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x09 },
            "metadata that are no field of an answer")
        _ = metadata.json.encoded()
        if let name = metadata.fileName {
            precondition(!name.utf8.contains { $0 < 0x20 || $0 == 0x2F || $0 == 0x5C }, "a file name with a separator")
            precondition(!name.isEmpty && name != "." && name != "..", "a file name that leads elsewhere")
        }
    }

    // MARK: Keys

    private static func checkKey(_ request: HTTPRequest) {
        guard let key = try? IdempotencyKey.of(request) else { return }
        precondition((1...255).contains(key.text.utf8.count), "a key that is too long to keep")
        let escaped = key.text.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
        let quoted = request.with([("Idempotency-Key", "\"\(escaped)\"")])
        precondition((try? IdempotencyKey.of(quoted)) == key, "a key is another one in quotes")
    }

    // MARK: Conditions and ranges

    private static func conditions(_ request: HTTPRequest) {
        let current = EntityTag("v1")
        // Whatever follows in a list, its first tag counts.
        for (name, outcome) in [("If-Match", Precondition.proceed), ("If-None-Match", .notModified)] {
            for value in request.fields.all(name) {
                let listed = request.with([(name, "\(current), \(value)")])
                precondition(
                    Precondition.evaluate(listed, current: current) == outcome, "a tag of the list is passed over")
            }
        }
        if request.fields["If-Range"] != nil, Precondition.allowsRange(request, current: current) {
            precondition(!Precondition.allowsRange(request, current: EntityTag("v2")), "a range of any version")
        }
        for count in [0, 1, 1000, Int64.max] {
            guard let value = request.fields["Range"], case .part(let range) = ByteRange(value, count: count) else {
                continue
            }
            precondition(range.lowerBound >= 0 && range.upperBound <= count && !range.isEmpty, "a range outside")
            let exact = ByteRange("bytes=\(range.lowerBound)-\(range.upperBound - 1)", count: count)
            precondition(exact == .part(range), "a range is not read as it is answered")
        }
    }

    // MARK: Single fields

    private static func check(_ value: String, of name: String, _ request: HTTPRequest) {
        switch name {
        case "Last-Event-ID":
            guard let position = EventPosition(value) else { return }
            precondition(EventPosition(position.description) == position, "an event's id is not read as it is sent")
        case "Prefer":
            let wait = RequestPreferences(request.fields).wait
            precondition(wait ?? 0 >= 0, "a wait that is over before it began")
            let first = RequestPreferences(request.with([(name, "wait=7, \(value)")]).fields).wait
            precondition(first == 7, "a later preference counts")
        case "Accept":
            let offers = [MediaType("text", "csv"), MediaType("application", "json")]
            let best = ContentNegotiation.best(offers, accept: value)
            precondition(best.map(offers.contains) ?? true, "what nobody offered")
        case "Content-Type":
            guard let type = MediaType(value) else { return }
            precondition(MediaType(type.description) == type, "a media type is not read as it is written")
        default:
            guard let trace = TraceContext(value) else { return }
            let parts = [(trace.traceID, 32), (trace.parentID, 16)]
            precondition(parts.allSatisfy { $0.utf8.count == $1 }, "an id of another length")
        }
    }
}

extension HTTPRequest {
    /// The same with other fields.
    fileprivate func with(_ fields: [(name: String, value: String)]) -> HTTPRequest {
        HTTPRequest(method: method, target: target, path: path, fields: HTTPFields(fields))
    }
}
