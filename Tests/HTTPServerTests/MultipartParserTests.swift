import Testing

@testable import HTTPServer

@Suite("Multipart parser")
struct MultipartParserTests {
    /// A part as it came out of the parser, with its content put together.
    struct Part: Equatable {
        var head: MultipartPart
        var content: [UInt8] = []
        var isComplete = false
    }

    static let contentType = "multipart/form-data; boundary=xYz"

    /// Parses the body in pieces of the given sizes (the last size repeats).
    static func parse(
        _ body: [UInt8], contentType: String = contentType, limits: MultipartParser.Limits = .init(),
        chunks: [Int] = [.max]
    ) throws -> [Part] {
        var parser = try MultipartParser(contentType: contentType, limits: limits)
        var parts: [Part] = []
        var position = 0
        var sizes = chunks[...]
        while position < body.count {
            let size = min(max(1, sizes.first ?? 1), body.count - position)
            if sizes.count > 1 { sizes.removeFirst() }
            // A copy of exactly this chunk, so that reading beyond it is found by the sanitizer.
            try Array(body[position..<position + size]).withUnsafeBytes { chunk in
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
        return parts
    }

    static func parse(_ body: String, contentType: String = contentType) throws -> [Part] {
        try parse(Array(body.utf8), contentType: contentType)
    }

    static func code(_ body: () throws -> some Any) -> MultipartError.Code? {
        do {
            _ = try body()
            return nil
        } catch {
            return (error as? MultipartError)?.code
        }
    }

    static let form =
        "preamble\r\n--xYz\r\nContent-Disposition: form-data; name=\"roi\"\r\n\r\n70,51,107,87\r\n"
        + "--xYz \t\r\nContent-Disposition: form-data; name=\"video\"; filename=\"a \\\"b\\\".mp4\"\r\n"
        + "Content-Type: video/mp4\r\n\r\n\r\n--xY\r\r\n--xYy\r\n\r\n--\0\r\n--xYz\r\n"
        + "content-disposition:form-data;name=empty;filename=\"\"\r\n\r\n\r\n--xYz--\r\nepilogue --xYz\r\n"

    @Test("names, file names, types and contents come out as they were put in")
    func reads() throws {
        let parts = try Self.parse(Self.form)
        #expect(parts.map(\.head.name) == ["roi", "video", "empty"])
        #expect(parts.map(\.head.fileName) == [nil, "a \"b\".mp4", ""])
        #expect(parts.map(\.head.contentType) == [nil, "video/mp4", nil])
        #expect(parts[0].content == Array("70,51,107,87".utf8))
        #expect(parts[1].content == Array("\r\n--xY\r\r\n--xYy\r\n\r\n--\0".utf8))
        #expect(parts[2].content.isEmpty)
        #expect(parts.allSatisfy { $0.isComplete })
    }

    @Test("any cut of the body into two pieces gives the same parts")
    func twoPieces() throws {
        let body = Array(Self.form.utf8)
        let whole = try Self.parse(body)
        for cut in 1..<body.count {
            #expect(try Self.parse(body, chunks: [cut, .max]) == whole, "cut at \(cut)")
        }
    }

    @Test("any cut into many pieces gives the same parts", arguments: 0..<200 as Range<UInt64>)
    func manyPieces(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let body = Self.randomForm(&random)
        let whole = try Self.parse(body.bytes)
        #expect(whole.map(\.content) == body.contents)
        #expect(try Self.parse(body.bytes, chunks: [1]) == whole)
        let sizes = (0..<body.bytes.count).map { _ in Int.random(in: 1...9, using: &random) }
        #expect(try Self.parse(body.bytes, chunks: sizes) == whole)
    }

    /// Contents made of pieces of the delimiter, which are the hardest to tell from it.
    static func randomForm(_ random: inout SplitMix64) -> (bytes: [UInt8], contents: [[UInt8]]) {
        let pieces = ["\r", "\n", "-", "--", "\r\n", "\r\n--", "\r\n--x", "\r\n--xY", "xYz", "--xYz", "a"].map {
            Array($0.utf8)
        }
        var bytes: [UInt8] = []
        var contents: [[UInt8]] = []
        for index in 0..<Int.random(in: 0...4, using: &random) {
            var content: [UInt8] = []
            for _ in 0..<Int.random(in: 0...12, using: &random) { content += pieces.randomElement(using: &random)! }
            // Content must not hold the delimiter, nor begin with its second half.
            let text = "\r\n" + String(decoding: content, as: UTF8.self)
            if text.utf8.contains(Array("\r\n--xYz".utf8)) { content = Array("plain".utf8) }
            contents.append(content)
            bytes += Array("--xYz\r\nContent-Disposition: form-data; name=\"f\(index)\"\r\n\r\n".utf8)
            bytes += content + Array("\r\n".utf8)
        }
        return (bytes + Array("--xYz--".utf8), contents)
    }

    @Test("random bytes are refused or parsed, and never crash", arguments: 0..<300 as Range<UInt64>)
    func noise(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        var body = Array(Self.form.utf8)
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            body[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        let whole = Result { try Self.parse(body) }
        let bytewise = Result { try Self.parse(body, chunks: [1]) }
        switch (whole, bytewise) {
        case (.success(let a), .success(let b)): #expect(a == b)
        case (.failure(let a), .failure(let b)): #expect(a as? MultipartError == b as? MultipartError)
        default: Issue.record("the cut decides whether the body is valid")
        }
    }

    @Test("a body that stops anywhere before its closing boundary is truncated")
    func truncated() throws {
        let body = Array("--xYz\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--xYz--".utf8)
        for count in 0..<body.count {
            #expect(Self.code { try Self.parse(Array(body[..<count])) } == .truncated, "\(count) bytes")
        }
        #expect(try Self.parse(body).count == 1)
    }

    @Test("a form without parts is a form")
    func noParts() throws {
        #expect(try Self.parse("--xYz--\r\n").isEmpty)
    }

    @Test("content types that are no form, or whose boundary is none, are refused")
    func contentTypes() {
        #expect(Self.code { try MultipartParser(contentType: "application/json") } == .notMultipart)
        #expect(Self.code { try MultipartParser(contentType: "multipart/mixed; boundary=a") } == .notMultipart)
        let long = String(repeating: "a", count: 71)
        for boundary in [
            "", "; boundary=", "; boundary=\"\"", "; boundary=\"a \"", "; boundary=\"a\\\r\"", "; boundary=\(long)",
        ] {
            let code = Self.code { try MultipartParser(contentType: "multipart/form-data" + boundary) }
            #expect(code == .invalidBoundary || code == .notMultipart, "\(boundary)")
        }
        #expect(
            Self.code { try MultipartParser(contentType: "Multipart/Form-Data; charset=x; boundary=\"a b'c\"") } == nil)
    }

    @Test(
        "a part's header that is malformed is refused",
        arguments: [
            "", "Content-Type: text/plain\r\n", "Content-Disposition: form-data\r\n",
            "Content-Disposition: attachment; name=a\r\n", "Content-Disposition: form-data; name=\"a\r\n",
            "Content-Disposition: form-data; name=a; name=b\r\n", "Content-Disposition form-data; name=a\r\n",
            "Content-Disposition : form-data; name=a\r\n", " Content-Disposition: form-data; name=a\r\n",
            "Content-Disposition: form-data; name=a\0\r\n", "Content-Disposition: form-data; name=a\n",
            "Content-Disposition: form-data; name=a\rX: y\r\n",
            "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n",
            "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n",
            "Content-Disposition: form-data; name=\"a\(String(repeating: "\u{301}", count: 31))\"\r\n",
        ])
    func malformedHeader(header: String) {
        let body = "--xYz\r\n" + header + "\r\ncontent\r\n--xYz--"
        #expect(Self.code { try Self.parse(body) } == .malformedHeader)
    }

    @Test(
        "file names are read in every form that clients use",
        arguments: [
            ("filename=\"C:\\clips\\a.mp4\"", "C:\\clips\\a.mp4"), ("filename=plain.mp4", "plain.mp4"),
            ("filename=\"\u{fc}\u{20ac}.mp4\"", "\u{fc}\u{20ac}.mp4"),
            ("filename=\"x\"; filename*=UTF-8''%e2%82%ac%20rates", "\u{20ac} rates"),
            ("filename=\"x\"; filename*=UTF-8''%zz", "x"), ("filename=\"x\"; filename*=KOI8-R''a", "x"),
            ("filename=\"a\\\\b\"", "a\\b"), ("filename=\"a;b=c\"", "a;b=c"), ("filename=\"../../etc\"", "../../etc"),
        ])
    func fileNames(parameter: String, expected: String) throws {
        let body = "--xYz\r\nContent-Disposition: form-data; name=\"f\"; \(parameter)\r\n\r\n\r\n--xYz--"
        #expect(try Self.parse(body).first?.head.fileName == expected)
    }

    @Test("a folded header line is one line")
    func folding() throws {
        let body = "--xYz\r\nContent-Disposition: form-data;\r\n\t name=\"f\";\r\n filename=\"g\"\r\n\r\n\r\n--xYz--"
        let part = try #require(try Self.parse(body).first)
        #expect(part.head.name == "f" && part.head.fileName == "g")
    }

    @Test("a boundary followed by text is refused")
    func malformedDelimiter() {
        let body = "--xYz\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--xYzzz\r\n"
        #expect(Self.code { try Self.parse(body) } == .malformedDelimiter)
    }

    @Test("headers and parts beyond the limits are refused")
    func limits() {
        var limits = MultipartParser.Limits()
        limits.parts = 2
        #expect(Self.code { try Self.parse(Array(Self.form.utf8), limits: limits) } == .tooManyParts)
        limits.headerBytes = 64
        #expect(Self.code { try Self.parse(Array(Self.form.utf8), limits: limits) } == .headerTooLarge)
    }

    @Test("a handler's error comes through, and the parser stays failed")
    func handlerFails() throws {
        struct Full: Error {}
        var parser = try MultipartParser(contentType: Self.contentType)
        Array(Self.form.utf8).withUnsafeBytes { bytes in
            #expect(throws: Full.self) { try parser.feed(bytes) { _ in throw Full() } }
            #expect(throws: MultipartError.self) { try parser.feed(bytes) { _ in } }
        }
        #expect(throws: MultipartError.self) { try parser.finish() }
    }
}

/// Steele, Lea and Flood's generator: small, seeded, the same everywhere.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
