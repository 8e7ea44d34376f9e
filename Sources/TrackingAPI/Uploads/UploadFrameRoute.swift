import HTTPServer
import Jobs

/// `GET /v1/uploads/{id}/frames/{n}`: a frame of a complete upload, before a job has it: what boxes are drawn on.
struct UploadFrameRoute: Sendable {
    static let pattern = UploadRoutes.pattern + "/frames/{n}"

    let services: Services
    let pictures: FramePictures

    func frame(_ context: RequestContext) throws -> HTTPResponse {
        let id = try context.uploadID()
        let upload = try services.openUpload(id, tenant: context.tenant)
        guard let index = FramePictures.index(context) else {
            throw Problem(.notFound, "Frames are counted from 0: \(UploadRoutes.path(id))/frames/0.")
        }
        // Bytes that are all there do not change.
        return try pictures.answer(index, version: id.description, context) {
            let file = try UploadedSource(upload: upload, services: services, pointer: ClientText.pointer("id")).file()
            return (file.kind, file.path)
        }
    }
}
