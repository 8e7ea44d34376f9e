import Foundation
import S3BlobStore

/// Answers of a bucket that answers anything.
enum ListingFuzz {
    static func run(_ bytes: [UInt8]) {
        guard let xml = try? S3XMLReader.read(bytes) else { return }
        let written = Array(text(xml).utf8)
        let again = try? S3XMLReader.read(written)
        precondition(again.map { text($0).utf8.elementsEqual(written) } == true, "XML is not read as it was written")
        var list = S3List()
        guard (try? list.append(page: xml)) != nil else { return }
        let drafts = S3Drafts(list, prefix: "", now: Date(timeIntervalSince1970: 0))
        for found in drafts.found {
            precondition(S3Draft(found.draft.name) == found.draft, "a draft's name is not read as it is written")
        }
        for pieces in [drafts.segments, drafts.live] {
            var end: Int64 = 0
            for piece in pieces {
                precondition(piece.start == end && piece.count > 0, "a blob with a hole, or a piece of nothing")
                precondition(piece.count <= .max - end, "a blob that is longer than can be")
                end += piece.count
            }
        }
    }

    private static func text(_ xml: S3XML) -> String {
        "<\(xml.name)>\(S3XMLReader.escape(xml.text))\(xml.children.map(text).joined())</\(xml.name)>"
    }
}
