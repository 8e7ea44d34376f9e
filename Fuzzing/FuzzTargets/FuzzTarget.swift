/// A parser of what strangers send, as something that takes bytes and must neither crash nor break its own rules.
///
/// Rules are held by `precondition`: for libFuzzer, and for the tests of the corpus, that is a finding.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Forms with any boundary, cut anywhere.
    case multipart
    /// Form fields and query parameters: boxes, keyframes, labels.
    case form
    /// The spec as JSON.
    case spec
    /// Heads of requests and the values of their fields.
    case headers
    /// What is made of the fields that have a meaning: tus's, conditions, ranges, preferences, keys, events.
    case fields
    /// Whom to call back, and queries.
    case urls
    /// Names in archives, signatures of files, image files' structure.
    case entries
    /// What a decoder process that was taken over sends.
    case messages
    /// Lines of stored results, and what they are converted to.
    case records
    /// What a bucket answers.
    case listing

    package func run(_ bytes: [UInt8]) {
        switch self {
        case .multipart: MultipartFuzz.run(bytes)
        case .form: FormFuzz.run(bytes)
        case .spec: SpecFuzz.run(bytes)
        case .headers: HeaderFuzz.run(bytes)
        case .fields: FieldFuzz.run(bytes)
        case .urls: URLFuzz.run(bytes)
        case .entries: EntryFuzz.run(bytes)
        case .messages: MessageFuzz.run(bytes)
        case .records: RecordFuzz.run(bytes)
        case .listing: ListingFuzz.run(bytes)
        }
    }

    /// Bytes of a long input: as much as comes to the parser at once, or enough to tell a parser that takes the square of
    /// its input's length.
    package var longest: Int {
        switch self {
        case .spec: 512 << 10
        case .multipart, .form, .records, .listing: 64 << 10
        // The guard lets 32 KiB through.
        case .headers, .fields: 30 << 10
        case .urls, .entries, .messages: 4 << 10
        }
    }

    /// A long input out of a short one: a piece of it again and again, between what stands before and after it. The first
    /// two bytes say which.
    ///
    /// libFuzzer would have to find such inputs byte by byte, and keep them; so it looks for the piece.
    ///
    /// - Parameter length: bytes that it is to have; ``longest`` where that is less.
    package func stretched(_ bytes: [UInt8], to length: Int = .max) -> [UInt8] {
        let input = bytes.dropFirst(2)
        guard !input.isEmpty else { return Array(input) }
        let start = input.startIndex + Int(bytes[0]) * input.count / 256
        let end = min(start + 1 + Int(bytes[1]) % 64, input.endIndex)
        let times = max(1, (min(length, longest) - input.count) / (end - start))
        return Array(input[..<start]) + repeatElement(input[start..<end], count: times).joined() + input[end...]
    }
}

extension Collection<UInt8> {
    /// The pieces between line feeds, as text; what is no UTF-8 is replaced, as it is where such text comes in.
    var lines: [String] {
        split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}

extension String {
    /// What stands before and after the first of a mark; nothing after where there is none.
    func halves(at mark: Character) -> (name: String, value: String) {
        let parts = split(separator: mark, maxSplits: 1, omittingEmptySubsequences: false)
        return (parts.first.map(String.init) ?? "", parts.count > 1 ? String(parts[1]) : "")
    }
}
