/// Proactive negotiation by `Accept` and `Accept-Encoding` (RFC 9110 §12.5).
public enum ContentNegotiation {
    /// The offer that the client likes best: the highest quality, among equals the one offered first. `nil` where
    /// none is acceptable. No `Accept`, an empty or a malformed one takes the first offer.
    public static func best(_ offers: [MediaType], accept: String?) -> MediaType? {
        guard let accept, let ranges = mediaRanges(accept), !ranges.isEmpty else { return offers.first }
        var best: (offer: MediaType, quality: Int)?
        for offer in offers {
            let quality = quality(of: offer, in: ranges)
            if quality > (best?.quality ?? 0) { best = (offer, quality) }
        }
        return best?.offer
    }

    /// Whether a content coding (`gzip`) may be used. Without `Accept-Encoding` it may not: clients that never heard of
    /// codings send none.
    public static func accepts(encoding: String, acceptEncoding: String?) -> Bool {
        guard let acceptEncoding else { return false }
        var scanner = FieldScanner(acceptEncoding)
        var wildcard = 0
        var named: Int?
        while !scanner.isAtEnd {
            scanner.skipWhitespace()
            if scanner.take(",") { continue }
            guard let coding = scanner.token()?.lowercased(), let parameters = scanner.parameters(),
                let quality = quality(parameters)
            else { return false }
            if coding == encoding.lowercased() { named = quality } else if coding == "*" { wildcard = quality }
        }
        return (named ?? wildcard) > 0
    }

    private struct Range {
        var type: MediaType
        /// In thousandths.
        var quality: Int

        /// How exactly the range names the offer (RFC 9110 §12.5.1); `nil` where it does not match.
        func specificity(for offer: MediaType) -> Int? {
            if type.type == "*" { return type.subtype == "*" ? 0 : nil }
            guard type.type == offer.type else { return nil }
            if type.subtype == "*" { return 1 }
            guard type.subtype == offer.subtype else { return nil }
            // A parameter that the offer does not have asks for another representation, except for a charset: all
            // offers of this server are UTF-8 and do not say so.
            let asked = type.parameters.filter { $0.name != "charset" }
            guard asked.allSatisfy(offer.parameters.contains) else { return nil }
            return 2 + asked.count
        }
    }

    private static func quality(of offer: MediaType, in ranges: [Range]) -> Int {
        var best: (specificity: Int, quality: Int)?
        for range in ranges {
            guard let specificity = range.specificity(for: offer) else { continue }
            if specificity > (best?.specificity ?? -1) { best = (specificity, range.quality) }
        }
        return best?.quality ?? 0
    }

    private static func mediaRanges(_ accept: String) -> [Range]? {
        var scanner = FieldScanner(accept)
        var ranges: [Range] = []
        while !scanner.isAtEnd {
            scanner.skipWhitespace()
            if scanner.isAtEnd || scanner.take(",") { continue }
            guard let name = MediaType.name(&scanner), let parameters = scanner.parameters(),
                let quality = quality(parameters)
            else { return nil }
            let type = MediaType(name.type, name.subtype, parameters: Array(parameters.prefix { $0.name != "q" }))
            ranges.append(Range(type: type, quality: quality))
        }
        return ranges
    }

    /// `qvalue` in thousandths (RFC 9110 §12.4.2); 1000 where there is none.
    private static func quality(_ parameters: [FieldParameter]) -> Int? {
        guard let text = parameters.first(where: { $0.name == "q" })?.value else { return 1000 }
        let digits = Array(text.utf8)
        guard let first = digits.first, first == UInt8(ascii: "0") || first == UInt8(ascii: "1"), digits.count <= 5
        else { return nil }
        if digits.count > 1, digits[1] != UInt8(ascii: ".") { return nil }
        var thousandths = Int(first - UInt8(ascii: "0")) * 1000
        var weight = 100
        for digit in digits.dropFirst(2) {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            thousandths += Int(digit - UInt8(ascii: "0")) * weight
            weight /= 10
        }
        return thousandths <= 1000 ? thousandths : nil
    }
}
