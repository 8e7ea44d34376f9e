import HTTPServer

/// How a body is cut must not matter.
enum MultipartFuzz {
    private struct Part: Equatable {
        var head: MultipartPart
        var content: [UInt8] = []
        var isComplete = false
    }

    static func run(_ bytes: [UInt8]) {
        // The first byte says where the body is cut.
        guard let first = bytes.first else { return }
        let body = Array(bytes.dropFirst())
        let whole = parse(body, step: .max)
        let cut = parse(body, step: 1 + Int(first))
        precondition(whole == cut, "the cut decides what a body means")
        precondition(whole == parse(body, step: 1), "the cut decides what a body means")
    }

    private static func parse(_ body: [UInt8], step: Int) -> Result<[Part], MultipartError> {
        var parts: [Part] = []
        do {
            var parser = try MultipartParser(contentType: "multipart/form-data; boundary=xYz")
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
