import HTTPServer
import Jobs

/// A picture as `multipart/form-data`: one file `image`, and the boxes as `roi` fields or as `boxes`, in any order.
struct MultipartPicture: PictureForm {
    private var parser: MultipartParser
    private var parts: PictureParts

    init(_ context: RequestContext, contentType: String, services: Services) throws {
        var limits = MultipartParser.Limits()
        limits.parts = APILimits.fields + 1
        parser = try MultipartParser(contentType: contentType, limits: limits)
        parts = PictureParts(try BoxFields(context.request.query), context, services: services)
    }

    mutating func receive(_ bytes: UnsafeRawBufferPointer) throws { try Self.feed(&parser, bytes, &parts) }

    mutating func finish() throws -> PictureOrder {
        try parser.finish()
        return try parts.finish()
    }

    func discard() { parts.discard() }

    private static func feed(
        _ parser: inout MultipartParser, _ bytes: UnsafeRawBufferPointer, _ parts: inout PictureParts
    ) throws {
        try parser.feed(bytes) { try parts.take($0) }
    }
}

/// What the parts add up to.
private struct PictureParts: Sendable {
    private enum Part: Sendable {
        case none, file
        case text(TextPart)
    }

    private let services: Services
    /// Bytes that the request announces.
    private let expected: Int64
    private let held: HeldText
    private var boxes: BoxFields
    private var file: PictureFile?
    private var part = Part.none

    init(_ boxes: BoxFields, _ context: RequestContext, services: Services) {
        held = HeldText(services.textMemory, tenant: context.tenant)
        self.boxes = boxes
        expected = context.request.contentLength ?? 0
        self.services = services
    }

    mutating func take(_ event: MultipartEvent) throws {
        switch event {
        case .partBegan(let header): try begin(header)
        case .data(let bytes): try append(bytes)
        case .partEnded: try end()
        }
    }

    func finish() throws -> PictureOrder {
        guard let file else { throw Problem.at(PictureFile.pointer, "The image is missing: send a file as image.") }
        return try file.order(boxes)
    }

    func discard() { file?.discard() }

    private mutating func begin(_ header: MultipartPart) throws {
        guard header.name == "image" else {
            guard header.fileName == nil else {
                throw Problem.at(
                    ClientText.pointer(header.name),
                    "There is no file field \(ClientText.quoted(header.name)). Send the picture as image.")
            }
            part = .text(try TextPart(name: header.name, of: held))
            return
        }
        var file = file ?? PictureFile(services, expecting: expected)
        try file.begin(fileName: header.fileName.flatMap(ClientText.fileName))
        self.file = file
        part = .file
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) throws {
        switch part {
        case .none: return
        case .file: try file?.write(bytes)
        case .text(var text):
            // Held once only, so that it grows in place.
            part = .none
            try text.append(bytes)
            part = .text(text)
        }
    }

    private mutating func end() throws {
        defer { part = .none }
        switch part {
        case .none: return
        case .file: try file?.end()
        case .text(let text): try boxes.add(text.name, text.text())
        }
    }
}
