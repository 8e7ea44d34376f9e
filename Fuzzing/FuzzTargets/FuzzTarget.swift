/// A parser of what strangers send, as something that takes bytes and must neither crash nor break its own rules.
///
/// Rules are held by `precondition`: for libFuzzer, and for the tests of the corpus, that is a finding.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Forms, cut anywhere.
    case multipart
    /// Form fields and query parameters: boxes, keyframes, labels.
    case form
    /// The spec as JSON.
    case spec
    /// Heads of requests and the values of their fields.
    case headers
    /// Names in archives, signatures of files, image files' structure.
    case entries

    package func run(_ bytes: [UInt8]) {
        switch self {
        case .multipart: MultipartFuzz.run(bytes)
        case .form: FormFuzz.run(bytes)
        case .spec: SpecFuzz.run(bytes)
        case .headers: HeaderFuzz.run(bytes)
        case .entries: EntryFuzz.run(bytes)
        }
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
