import HTTPServer
import Jobs

/// A picture and the boxes on it, as a client may send them. Used by one thread at a time; nothing of it is left when it
/// is gone.
protocol PictureForm: Sendable {
    mutating func receive(_ bytes: UnsafeRawBufferPointer) throws
    /// The body is whole: what is to be judged.
    mutating func finish() throws -> PictureOrder
    func discard()
}

/// What is to be judged.
struct PictureOrder: Sendable {
    var picture: StillPicture
    var boxes: [PixelBox]
    /// Where the request named the boxes, for those that lie outside the picture: the field, and whether it was an array.
    var boxField: String
    /// Where the request named the picture.
    var pointer: String
}

/// Boxes in fields of a form or of the query.
struct BoxFields: Sendable {
    private var rois: [String] = []
    private var boxes: JSONValue?

    static let names = ["roi", "boxes"]

    init(_ query: [(name: String, value: String)]) throws(Problem) {
        for field in query { try add(field.name, field.value) }
    }

    mutating func add(_ name: String, _ value: String) throws(Problem) {
        switch name {
        case "roi":
            // One more than there may be is enough to tell that there are too many.
            if rois.count <= SpecLimits.targets.upperBound { rois.append(value) }
        case "boxes":
            guard boxes == nil else { throw .at("#/boxes", "The field boxes was given twice.") }
            do throws(JSONError) {
                boxes = try JSONValue(parsing: value.utf8, maximumBytes: APILimits.fieldBytes)
            } catch {
                throw .at("#/boxes", "The field boxes is not JSON: \(error.description).")
            }
        default:
            throw .at(
                ClientText.pointer(name),
                "There is no field \(ClientText.quoted(name)). There are image, and \(Self.names.joined(separator: ", "))."
            )
        }
    }

    mutating func add(boxes value: JSONValue?) throws(Problem) {
        guard let value else { return }
        guard boxes == nil else { throw .at("#/boxes", "The field boxes was given twice.") }
        boxes = value
    }

    var field: String { boxes == nil ? "roi" : "boxes" }

    func list() throws(SpecErrors) -> [PixelBox] { try BoxList.read(boxes, rois: rois) }
}

/// An image as it comes: a file that no blob is ever made of.
struct PictureFile: Sendable {
    static let pointer = "#/image"

    private var file: FileUpload

    /// - Parameter expected: bytes that the request announces; 0 where it does not tell.
    init(_ services: Services, expecting expected: Int64) {
        let key = "\(Self.folder)/\(services.ids.next())"
        file = FileUpload(services: services, key: key, expecting: expected, field: .image)
    }

    /// Where pictures are while they are judged.
    private static let folder = "pictures"

    mutating func begin(fileName: String?) throws { try file.begin(fileName: fileName) }
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws { try file.write(bytes) }
    mutating func end() throws { try file.end() }
    func order(_ boxes: BoxFields) throws -> PictureOrder {
        let list = try boxes.list()
        return PictureOrder(
            picture: .image(path: try file.unfinishedPath()), boxes: list, boxField: boxes.field, pointer: Self.pointer)
    }
    func discard() { file.discard() }
}

/// The bare bytes of an image, with the boxes in the query.
struct RawPicture: PictureForm {
    private let boxes: BoxFields
    private var file: PictureFile

    /// - Throws: what is wrong with the boxes, before a byte of the body is read.
    init(_ context: RequestContext, services: Services) throws {
        boxes = try BoxFields(context.request.query)
        _ = try boxes.list()
        file = PictureFile(services, expecting: context.request.contentLength ?? 0)
        try file.begin(fileName: nil)
    }

    mutating func receive(_ bytes: UnsafeRawBufferPointer) throws { try file.write(bytes) }

    mutating func finish() throws -> PictureOrder {
        try file.end()
        return try file.order(boxes)
    }

    func discard() { file.discard() }
}
