import HTTPServer
import Jobs

/// What is known of a job before it is one: its id, its spec as far as it has come.
struct Submission: Sendable {
    let id: JobID
    private let services: Services
    private let tenant: TenantID
    private let request: HTTPRequest
    private var fields: [(name: String, value: String)]
    /// As text, which takes a fraction of the memory: the rest of the request may be long in coming.
    private var spec: [UInt8]?

    /// Query parameters count as form fields, whatever the form.
    init(_ context: RequestContext, services: Services) {
        self.services = services
        tenant = context.tenant
        request = context.request
        fields = context.request.query
        id = services.ids.next()
    }

    /// - Throws: where there are too many fields, or this one says again what another said: no later one makes that right.
    mutating func add(field name: String, value: String) throws(Problem) {
        guard fields.count < APILimits.fields else {
            throw Problem.at(
                ClientText.pointer(name), "More than \(APILimits.fields) form fields came; use a spec.", as: .tooLarge)
        }
        guard !SpecForm.isRepeated(name, value, after: fields) else {
            throw .at(ClientText.pointer(name), "The field \(ClientText.quoted(name)) was given twice.")
        }
        fields.append((name, value))
    }

    /// - Parameter spec: JSON; whether it is that is found out with everything else.
    mutating func add(spec: [UInt8]) throws(Problem) {
        guard self.spec == nil else { throw .at("#/spec", "The field spec was given twice.") }
        self.spec = spec
    }

    /// Refuses what no later field can make right, so that an upload need not end before its spec is refused.
    func checkSoFar() throws(Problem) {
        let final = problems().filter { !Self.isCurable($0.pointer) }
        if !final.isEmpty { throw Problem(invalid: final) }
    }

    /// Refuses a spec that is wrong in itself.
    func check() throws(Problem) {
        let problems = problems()
        if !problems.isEmpty { throw Problem(invalid: problems) }
    }

    /// For a request that is wrong beside its spec: what is wrong with the spec is told in the same answer.
    func refusal(with pointer: String, _ detail: String) -> Problem {
        Problem(invalid: problems() + [Problem.FieldError(pointer: pointer, detail: detail)])
    }

    /// Queues the job, or finds that it was queued before. The source is durable before, so that what the store keeps is
    /// whole.
    ///
    /// - Parameters:
    ///   - reference: what the client named as the source, where it sent none.
    ///   - upload: the upload that the source was, which the job takes.
    func submit(
        _ source: JobSource, named reference: JSONValue? = nil, from upload: UploadedSource? = nil
    ) throws -> SubmissionOutcome {
        let spec = try accepted()
        let job = Job(
            id: id, tenant: tenant, spec: spec, source: source, createdAt: services.environment.now(),
            traceID: request.trace?.traceID)
        guard let key = try IdempotencyKey.of(request) else {
            if let upload { try upload.submit(job) } else { try services.store.submit(job) }
            return .accepted(job)
        }
        let content: JSONValue = [.string(source.kind.rawValue), .string(source.sha256)]
        let fingerprint = PayloadFingerprint(form: form, spec: spec, source: reference ?? content)
        let attempt = IdempotentAttempt(key, fingerprint, of: job)
        let earlier = try upload.map { try $0.submit(job, as: attempt) } ?? services.store.submit(job, as: attempt)
        return try earlier?.outcome(for: fingerprint, spec) ?? .accepted(job)
    }

    /// What became of the first request with this one's name, told without its source, which may be gone by now.
    ///
    /// - Returns: `nil` where this is the first one, or not right.
    func earlierOutcome(from reference: JSONValue) throws -> SubmissionOutcome? {
        guard problems().isEmpty, let key = try IdempotencyKey.of(request),
            let earlier = try services.store.attempt(key: key.text, tenant: tenant)
        else { return nil }
        let spec = try accepted()
        return try earlier.outcome(for: PayloadFingerprint(form: form, spec: spec, source: reference), spec)
    }

    /// Removes the source, also where it had become durable.
    func discard() {
        do {
            try services.blobs.remove(id.blobPrefix)
        } catch {
            services.logger.error(
                "an upload could not be removed", metadata: ["job": "\(id)", "error": "\(error)"])
        }
    }

    /// The spec, as the service takes it.
    private func accepted() throws(SpecErrors) -> JobSpec {
        let bytes = fields.reduce(spec?.count ?? 0) { $0 + $1.value.utf8.count }
        let spec = try LongTexts.inTurn(bytes) { () throws(SpecErrors) in
            try SpecReader.read(SpecForm.json(fields: fields, base: base()))
        }
        let problems = services.configuration.webhooks.problems(with: spec)
        guard problems.isEmpty else { throw SpecErrors(problems) }
        return spec
    }

    /// The spec that came along with the fields.
    private func base() throws(SpecErrors) -> JSONValue? {
        guard let spec else { return nil }
        do throws(JSONError) {
            var json = try JSONValue(parsing: spec, maximumBytes: APILimits.specBytes)
            // Not the spec's own: it is named in the same object where the body is one.
            if form == "json", var members = json.objectValue {
                members["source"] = nil
                json = .object(members)
            }
            return json
        } catch {
            throw SpecErrors([SpecProblem(pointer: "#/spec", detail: "is not JSON: \(error.description)")])
        }
    }

    /// How the request was sent.
    private var form: String {
        switch request.fields["Content-Type"].flatMap({ MediaType($0) })?.essence {
        case "multipart/form-data": "form"
        case "application/json": "json"
        default: "raw"
        }
    }

    private func problems() -> [Problem.FieldError] {
        do throws(SpecErrors) {
            _ = try accepted()
            return []
        } catch {
            return Problem(error).errors
        }
    }

    /// Targets may come in a later field, and which frames are tracked may change with one.
    private static func isCurable(_ pointer: String) -> Bool {
        ["#/targets", "#/keyframe"].contains(pointer)
            || ["/start_frame", "/frame"].contains { pointer.hasSuffix($0) }
    }
}
