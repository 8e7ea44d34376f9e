/// A `multipart/form-data` body, put together part by part.
struct Form {
    static let boundary = "----frontier-7MA4YWxk"

    private(set) var parts: [[UInt8]] = []

    static let contentType = "multipart/form-data; boundary=\(boundary)"

    func file(_ name: String, _ content: [UInt8], fileName: String? = "clip.mp4") -> Form {
        adding("name=\"\(name)\"" + (fileName.map { "; filename=\"\($0)\"" } ?? ""), content)
    }

    func field(_ name: String, _ value: String) -> Form { adding("name=\"\(name)\"", Array(value.utf8)) }

    func spec(_ json: String) -> Form { field("spec", json) }

    private func adding(_ disposition: String, _ content: [UInt8]) -> Form {
        var form = self
        form.parts.append(
            Array("--\(Self.boundary)\r\nContent-Disposition: form-data; \(disposition)\r\n\r\n".utf8) + content
                + Array("\r\n".utf8))
        return form
    }

    var body: [UInt8] { parts.flatMap { $0 } + Array("--\(Self.boundary)--\r\n".utf8) }

    /// The parts in another order.
    func reordered(_ order: [Int]) -> Form {
        var form = Form()
        form.parts = order.map { parts[$0] }
        return form
    }
}
