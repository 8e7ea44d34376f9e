import HTTPServer

/// How a body is cut must not matter.
enum MultipartFuzz {
    private struct Part: Equatable {
        var head: MultipartPart
        var content: [UInt8] = []
        var isComplete = false
    }

    static func run(_ bytes: [UInt8]) {
        // The first byte says where the body is cut; the rest of its line is the content type, with the boundary.
        guard let first = bytes.first, let end = bytes.firstIndex(of: UInt8(ascii: "\n")), end > 0 else { return }
        let type = String(decoding: bytes[1..<end], as: UTF8.self)
        guard let parser = try? MultipartParser(contentType: type) else { return }
        let body = Array(bytes[(end + 1)...])
        let whole = parse(body, parser, step: .max)
        let cut = parse(body, parser, step: 1 + Int(first))
        precondition(whole == cut, "the cut decides what a body means")
        precondition(whole == parse(body, parser, step: 1), "the cut decides what a body means")
    }

    private static func parse(
        _ body: [UInt8], _ parser: MultipartParser, step: Int
    ) -> Result<[Part], MultipartError> {
        var parser = parser
        var parts: [Part] = []
        do {
            var position = 0
            while position < body.count {
                let size = min(step, body.count - position)
                // Of its own memory, so that AddressSanitizer sees a read beyond it.
                try Array(body[position..<(position + size)]).withUnsafeBytes { chunk in
                    try parser.feed(chunk) { event in
                        switch event {
                        case .partBegan(let head): parts.append(Part(head: head))
                        case .data(let bytes): parts[parts.count - 1].content += Array(bytes)
                        case .partEnded: parts[parts.count - 1].isComplete = true
                        }
                    }
                }
                position += size
            }
            try parser.finish()
        } catch let error as MultipartError {
            return .failure(error)
        } catch {
            preconditionFailure("another error than the parser's: \(error)")
        }
        precondition(parts.allSatisfy(\.isComplete), "a part has no end")
        return .success(parts)
    }
}
