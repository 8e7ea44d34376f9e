import HTTPServer
import Jobs

/// A frame that the service has: `{"upload": "<id>", "boxes": […]}` or `{"job": "<id>", "frame": 50, "boxes": […]}`.
struct JSONPicture: PictureForm {
    private let services: Services
    private let tenant: TenantID
    private var boxes: BoxFields
    private let held: HeldText
    /// Bytes that the request announces.
    private let expected: Int64?
    private var body: [UInt8] = []

    private static let fields = ["upload", "job", "frame", "boxes"]

    init(_ context: RequestContext, services: Services) throws {
        self.services = services
        tenant = context.tenant
        held = HeldText(services.textMemory, tenant: tenant)
        expected = context.request.contentLength
        boxes = try BoxFields(context.request.query)
    }

    mutating func receive(_ bytes: UnsafeRawBufferPointer) throws {
        if body.isEmpty { try held.announce(expected) }
        try held.grow(by: bytes.count)
        body.append(contentsOf: bytes)
    }

    mutating func finish() throws -> PictureOrder {
        let members = try JSONBody.object(
            body, maximumBytes: APILimits.boxesBytes, of: "an upload or a job, and boxes")
        if let other = members.keys.first(where: { !Self.fields.contains($0) }) {
            throw Problem.at(
                ClientText.pointer(other),
                "There is no field \(ClientText.quoted(other)). There are \(Self.fields.joined(separator: ", ")).")
        }
        try boxes.add(boxes: members["boxes"])
        let list = try boxes.list()
        let frame = try frame(members["frame"])
        let (kind, path, pointer) = try source(members)
        return PictureOrder(
            picture: .frame(frame, of: kind, path: path), boxes: list, boxField: boxes.field, pointer: pointer)
    }

    func discard() {}

    private func frame(_ value: JSONValue?) throws(Problem) -> Int {
        guard let value else { return 0 }
        guard let frame = value.intValue, SpecLimits.frame.contains(frame) else {
            throw .at(
                "#/frame",
                "must be an integer from \(SpecLimits.frame.lowerBound) to \(SpecLimits.frame.upperBound)")
        }
        return frame
    }

    private func source(_ members: JSONObject) throws -> (kind: JobSource.Kind, path: String, pointer: String) {
        switch (members["upload"], members["job"]) {
        case (let reference?, nil):
            let upload = try UploadedSource.find(reference, at: "#/upload", tenant: tenant, services: services)
            let file = try upload.file()
            return (file.kind, file.path, "#/upload")
        case (nil, let reference?):
            guard let id = reference.stringValue.flatMap({ JobID($0) }),
                let job = try services.store.job(id, tenant: tenant)
            else { throw Problem.at("#/job", "There is no job with this id.") }
            try services.requireKept(job)
            guard let path = try services.decodablePath(of: job.source) else {
                throw Problem.at("#/job", "The job's video is there no more.", as: .gone)
            }
            return (job.source.kind, path, "#/job")
        default:
            throw Problem.at(
                "#",
                "Either upload or job names whose frame it is; to send an image, use multipart/form-data or image/*.")
        }
    }
}
