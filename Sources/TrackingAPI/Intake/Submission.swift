import HTTPServer
import Jobs

/// What is known of a job before it is one: its id, its spec as far as it has come.
struct Submission: Sendable {
    let id: JobID
    private let services: Services
    private let tenant: TenantID
    private let traceID: String?
    private var fields: [(name: String, value: String)]
    private var spec: JSONValue?

    /// Query parameters count as form fields, whatever the form.
    init(_ context: RequestContext, services: Services) {
        self.services = services
        tenant = context.tenant
        traceID = context.request.trace?.traceID
        fields = context.request.query
        id = services.ids.next()
    }

    mutating func add(field name: String, value: String) throws(Problem) {
        guard fields.count < APILimits.fields else {
            throw Problem.at(
                ClientText.pointer(name), "More than \(APILimits.fields) form fields came; use a spec.", as: .tooLarge)
        }
        fields.append((name, value))
    }

    mutating func add(spec: JSONValue) throws(Problem) {
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

    /// Queues the job. The source is durable before, so that what the store keeps is whole.
    ///
    /// - Parameter upload: the upload that the source was, which the job takes.
    func submit(_ source: JobSource, from upload: UploadedSource? = nil) throws -> Job {
        let spec = try SpecReader.read(SpecForm.json(fields: fields, base: spec))
        let job = Job(
            id: id, tenant: tenant, spec: spec, source: source, createdAt: services.environment.now(),
            traceID: traceID)
        if let upload { try upload.submit(job) } else { try services.store.submit(job) }
        return job
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

    private func problems() -> [Problem.FieldError] {
        do throws(SpecErrors) {
            _ = try SpecReader.read(SpecForm.json(fields: fields, base: spec))
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
