import Foundation
import Jobs

/// Which objects a store's blobs are.
///
/// | object | what it is |
/// |---|---|
/// | `PREFIX/KEY` | a finished blob, with its digest as `x-amz-meta-sha256` |
/// | `PREFIX/.installation` | whose blobs these are |
/// | `PREFIX/.drafts/FOLDER/.NAME/lock-NONCE` | somebody appends to the blob `FOLDER/NAME` |
/// | `PREFIX/.drafts/FOLDER/.NAME/at-OFFSET-NONCE` | bytes of a blob that can be resumed |
/// | `PREFIX/.drafts/FOLDER/.NAME/live-NONCE-OFFSET` | bytes of a blob that a writer has flushed |
///
/// No segment of a key starts with a dot, so drafts are in nobody's way, and all of them are under one prefix, which a
/// rule of the bucket may have expire. A blob's own drafts are beside those of the blobs below its key.
struct S3Layout: Sendable {
    static let drafts = ".drafts/"
    static let installation = ".installation"

    /// Empty, or ends with `/`.
    let prefix: String

    func object(_ key: BlobKey) -> String { prefix + key.segments.joined(separator: "/") }

    /// Before the blobs below a key.
    func below(_ key: BlobKey) -> String { object(key) + "/" }

    /// Before the drafts of a blob.
    func drafts(_ key: BlobKey) -> String {
        prefix + Self.drafts + key.folder.map { $0 + "/" }.joined() + "." + key.name + "/"
    }

    /// Before the drafts of the blobs below a key.
    func draftsBelow(_ key: BlobKey) -> String { prefix + Self.drafts + key.segments.map { $0 + "/" }.joined() }

    static func number(_ offset: Int64) -> String {
        let text = String(offset)
        return String(repeating: "0", count: max(0, 16 - text.count)) + text
    }
}

/// What the name of a draft says, after ``S3Layout/drafts(_:)``.
package enum S3Draft: Hashable {
    case lock(nonce: String)
    case segment(offset: Int64, nonce: String)
    case live(nonce: String, offset: Int64)

    package var name: String {
        switch self {
        case .lock(let nonce): "lock-\(nonce)"
        case .segment(let offset, let nonce): "at-\(S3Layout.number(offset))-\(nonce)"
        case .live(let nonce, let offset): "live-\(nonce)-\(S3Layout.number(offset))"
        }
    }

    package init?(_ name: some StringProtocol) {
        // As all that are made here. Other texts may be equal in many ways, which takes time to find out.
        guard name.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        let parts = String(name).components(separatedBy: "-")
        switch (parts.first, parts.count) {
        case ("lock", 2): self = .lock(nonce: parts[1])
        case ("at", 3):
            guard let offset = Int64(parts[1]), offset >= 0 else { return nil }
            self = .segment(offset: offset, nonce: parts[2])
        case ("live", 3):
            guard let offset = Int64(parts[2]), offset >= 0 else { return nil }
            self = .live(nonce: parts[1], offset: offset)
        default: return nil
        }
    }
}

/// The drafts of one blob, as a list found them.
package struct S3Drafts {
    package struct Found {
        package var draft: S3Draft
        var entry: S3ListEntry
    }

    package var found: [Found]
    /// By the server's clock.
    var date: Date

    /// - Parameter prefix: of the blob's drafts, which the list is of.
    package init(_ list: S3List, prefix: String, now: Date) {
        found = list.entries.compactMap { entry in
            S3Draft(entry.name.dropFirst(prefix.count)).map { Found(draft: $0, entry: entry) }
        }
        date = list.date ?? now
    }

    /// Those who append to it, or did, but for one.
    func locks(besides nonce: String) -> [Found] {
        found.filter { found in
            if case .lock(let other) = found.draft { other != nonce } else { false }
        }
    }

    /// Whether the owner of a lock is taken for dead.
    func isStale(_ lock: Found) -> Bool { date.timeIntervalSince(lock.entry.modified) > S3BlobAppender.staleSeconds }

    /// The segments that follow one another from the start of the blob. Where two begin at one place, the older one was
    /// there when the other's writer had lost its lock.
    package var segments: [S3ReaderPiece] {
        var entries: [(offset: Int64, entry: S3ListEntry)] = []
        for found in found {
            if case .segment(let offset, _) = found.draft { entries.append((offset, found.entry)) }
        }
        return chain(entries)
    }

    /// What the writer that flushed last has flushed.
    package var live: [S3ReaderPiece] {
        var writers: [String: [(offset: Int64, entry: S3ListEntry)]] = [:]
        for found in found {
            if case .live(let nonce, let offset) = found.draft {
                writers[nonce, default: []].append((offset, found.entry))
            }
        }
        let newest = writers.values.max { one, other in Self.time(one) < Self.time(other) }
        return chain(newest ?? [])
    }

    private static func time(_ entries: [(offset: Int64, entry: S3ListEntry)]) -> Date {
        entries.map(\.entry.modified).max() ?? .distantPast
    }

    private func chain(_ entries: [(offset: Int64, entry: S3ListEntry)]) -> [S3ReaderPiece] {
        var pieces: [S3ReaderPiece] = []
        var end: Int64 = 0
        let sorted = entries.sorted {
            ($0.offset, $0.entry.modified, $0.entry.name) < ($1.offset, $1.entry.modified, $1.entry.name)
        }
        for (offset, entry) in sorted where offset == end && entry.count > 0 && entry.count <= .max - end {
            pieces.append(
                S3ReaderPiece(object: entry.name, entityTag: entry.entityTag, start: offset, count: entry.count))
            end += entry.count
        }
        return pieces
    }
}
