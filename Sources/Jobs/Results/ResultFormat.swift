/// How results are written out: the formats of `docs/http.md`.
public enum ResultFormat: String, CaseIterable, Sendable {
    /// One document with its provenance.
    case json
    /// A frame a line, and nothing else.
    case ndjson
    /// A header line, then a row a frame and target.
    case csv
    /// `x,y,width,height` a line, for one target, as the OTB benchmark has it.
    case otb
    /// MOTChallenge, ten columns.
    case mot
    /// CVAT XML 1.1 with a track for each target.
    case cvat
    /// COCO-VID.
    case coco
    /// A task of Label Studio with a prediction.
    case labelstudio
    /// WebVTT with JSON cues, for an overlay on a `<video>`.
    case vtt

    /// For `Content-Type`.
    public var mediaType: String {
        switch self {
        case .json: "application/json"
        case .ndjson: "application/x-ndjson"
        case .csv: "text/csv; charset=utf-8; header=present"
        case .otb, .mot: "text/plain; charset=utf-8"
        case .cvat: "application/xml"
        case .coco, .labelstudio: "application/json"
        case .vtt: "text/vtt; charset=utf-8"
        }
    }

    /// The value of `?format=`; `nil` where it names none.
    public init?(name: String) { self.init(rawValue: name) }

    /// The format that an `Accept` field asks for most (RFC 9110 §12.5.1); `json` where there is no field or it takes
    /// anything, `nil` where it takes none of ours (406). `text/plain` is not negotiated, because two formats share it.
    /// Browsers, which name HTML, ask for XML as well and do not mean CVAT's: they get it where nothing else is left.
    public static func negotiate(accept: String?) -> ResultFormat? {
        guard let accept else { return .json }
        let ranges = accept.split(separator: ",").compactMap(MediaRange.init)
        if ranges.isEmpty { return .json }
        let candidates: [Candidate] = [
            (.json, "application", ["json"]), (.ndjson, "application", ["x-ndjson", "ndjson", "jsonl"]),
            (.csv, "text", ["csv"]), (.vtt, "text", ["vtt"]),
        ]
        let xml: [Candidate] = [(.cvat, "application", ["xml"]), (.cvat, "text", ["xml"])]
        if ranges.contains(where: { $0.type == "text" && $0.subtype == "html" }) {
            return best(of: candidates, ranges) ?? best(of: xml, ranges)
        }
        return best(of: candidates + xml, ranges)
    }

    private typealias Candidate = (format: ResultFormat, type: String, subtypes: [String])

    /// The first of those with the highest quality.
    private static func best(of candidates: [Candidate], _ ranges: [MediaRange]) -> ResultFormat? {
        var best: (format: ResultFormat, quality: Double)?
        for candidate in candidates {
            let matching = ranges.filter { $0.matches(candidate.type, candidate.subtypes) }
            guard let quality = matching.max(by: { $0.precision < $1.precision })?.quality, quality > 0 else {
                continue
            }
            if quality > best?.quality ?? 0 { best = (candidate.format, quality) }
        }
        return best?.format
    }
}

/// One element of an `Accept` field: `text/*;q=0.5`.
private struct MediaRange {
    let type, subtype: String
    let quality: Double

    init?(_ text: Substring) {
        let parts = text.split(separator: ";").map { Self.trimmed($0) }
        let names = (parts.first ?? "").split(separator: "/", omittingEmptySubsequences: false)
        guard names.count == 2 else { return nil }
        (type, subtype) = (String(names[0]), String(names[1]))
        let weight = parts.dropFirst().first { $0.hasPrefix("q=") }
        guard let value = weight.map({ Double($0.dropFirst(2)) }) ?? 1, value >= 0, value <= 1 else { return nil }
        quality = value
    }

    /// The more precise range decides: `text/csv` before `text/*` before `*/*`.
    var precision: Int { type == "*" ? 0 : subtype == "*" ? 1 : 2 }

    func matches(_ candidate: String, _ subtypes: [String]) -> Bool {
        (type == "*" && subtype == "*") || (type == candidate && (subtype == "*" || subtypes.contains(subtype)))
    }

    private static func trimmed(_ text: Substring) -> String {
        text.split { $0 == " " || $0 == "\t" }.joined().lowercased()
    }
}
