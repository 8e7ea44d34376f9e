import HTTPServer
import Jobs

/// Where in a request a source comes from, and what may come from there.
enum SourceField: Hashable, Sendable {
    case video, archive
    /// The n-th `frame` part; counts from 0.
    case frame(Int)
    /// The body itself, whose content type promises one of these kinds.
    case body([RecognisedMedia.Kind])
    /// An upload that came before.
    case upload
    /// A picture that is no job's: a part, or the body.
    case image

    var pointer: String {
        switch self {
        case .video: "#/video"
        case .archive: "#/archive"
        case .frame(let index): "#/frame/\(index)"
        case .body: "#"
        case .upload: UploadedSource.pointer
        case .image: PictureFile.pointer
        }
    }

    /// How many there may be.
    var rule: String { self == .image ? "boxes are on one picture" : "a job has one source" }

    /// How the field is called in a sentence, at its beginning.
    var subject: String {
        switch self {
        case .video: "The field video"
        case .archive: "The field archive"
        case .frame(let index): "The field frame, file \(index + 1),"
        case .body: "The body"
        case .upload: "The upload"
        case .image: "The image"
        }
    }

    private var accepted: [RecognisedMedia.Kind] {
        switch self {
        case .video: [.video]
        case .archive: [.archive]
        case .frame: [.image]
        case .body(let kinds): kinds
        case .upload: [.video, .archive]
        case .image: [.image]
        }
    }

    private var wanted: String {
        accepted.map { kind in
            switch kind {
            case .video: "a video (MP4, MOV, Matroska, WebM or AVI)"
            case .archive: "a zip or tar of images"
            case .image: "an image (PNG or JPEG, for example)"
            }
        }.joined(separator: " or ")
    }

    /// Checks what a file was recognised as.
    func check(_ media: RecognisedMedia?, fileName: String?) throws(Problem) -> RecognisedMedia {
        guard let media else {
            let name = fileName.map { " (\(ClientText.quoted($0)))" } ?? ""
            throw .at(
                pointer, "\(subject) must hold \(wanted), but the content\(name) is none that is known.",
                as: .unsupportedMediaType)
        }
        guard accepted.contains(media.kind) else {
            throw .at(
                pointer,
                "\(subject) must hold \(wanted), but its content is \(media.mediaType). \(advice(media.kind))",
                as: .unsupportedMediaType)
        }
        return media
    }

    func empty(fileName: String?) -> Problem {
        let name = fileName.map { " (\(ClientText.quoted($0)))" } ?? ""
        return .at(pointer, "\(subject) is empty\(name): 0 bytes came. It must hold \(wanted).")
    }

    private func advice(_ kind: RecognisedMedia.Kind) -> String {
        if self == .image { return "Upload a video or an archive to /v1/uploads, and name the upload here." }
        return switch kind {
        case .video: "Send a video in the field video or as the raw body."
        case .archive: "Send an archive of images in the field archive or as application/zip or application/x-tar."
        case .image: "Send images as repeated frame fields, or as a zip or tar in the field archive."
        }
    }
}
