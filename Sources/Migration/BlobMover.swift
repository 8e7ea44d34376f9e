import Crypto
import Foundation
import Jobs

/// Moves the blobs of one owner after the other; several may be at work.
struct BlobMover: Sendable {
    let route: BlobRoute
    /// Whether the source stands still: then what is missing is told, and uploads that still come are moved.
    let isLast: Bool
    /// Whether blobs that are there are read again, rather than believed what is kept of their digest.
    let rereads: Bool

    /// What is wrong with a blob of the source.
    private struct Damage: Error {
        let reason: String
    }

    private static let pieceSize = 1 << 20

    /// Makes what is below an owner's prefix the same on both sides.
    ///
    /// - Throws: where the destination fails, or the source does not answer; what is wrong with single blobs is told in the
    ///   figures.
    func move(_ owner: BlobOwner) throws -> BlobFigures {
        var figures = BlobFigures()
        var seen: Set<String> = []
        if !owner.isGone {
            try walk(owner.prefix) { key, found in
                seen.insert(key)
                try noting(owner, key, &figures) { try move(key, found.get(), owner.digests[key]) }
            }
        }
        // What cannot be looked into is told once, and what may be in it is left as it is.
        func isSeen(_ key: String) -> Bool { seen.contains { key == $0 || key.hasPrefix($0 + "/") } }
        if isLast, let (key, bytes) = owner.received, bytes > 0, !isSeen(key) {
            seen.insert(key)
            try noting(owner, key, &figures) { try moveUpload(key, bytes) }
        } else if !isLast, let received = owner.received {
            seen.insert(received.key)
        }
        if isLast {
            for key in owner.needed where !isSeen(key) {
                figures.add(DamagedBlob(owner: owner.name, key: key, reason: "is not there"))
            }
        }
        if let destination = route.destination, !isSeen(owner.prefix) {
            try removeOthers(owner.prefix, seen, destination)
        }
        return figures
    }

    /// What there is to be moved.
    func look(at owner: BlobOwner) throws -> Tally {
        var tally = Tally()
        guard !owner.isGone else { return tally }
        try walk(owner.prefix) { key, found in
            tally.add(blob: key, bytes: (try? found.get().count) ?? 0, digest: "")
        }
        if let (key, bytes) = owner.received, tally.count == 0, bytes > 0 {
            tally.add(blob: key, bytes: bytes, digest: "")
        }
        return tally
    }

    // MARK: One blob

    private struct Moved {
        var bytes: Int64
        /// As it must be, and as the destination has it.
        var expected: String
        var found: String
        var isCopied: Bool
    }

    private func noting(
        _ owner: BlobOwner, _ key: String, _ figures: inout BlobFigures, _ body: () throws -> Moved?
    ) throws {
        do {
            guard let moved = try body() else { return }
            figures.source.add(blob: key, bytes: moved.bytes, digest: moved.expected)
            figures.destination.add(blob: key, bytes: moved.bytes, digest: moved.found)
            if moved.isCopied { figures.copied += 1 }
        } catch let damage as Damage {
            figures.add(DamagedBlob(owner: owner.name, key: key, reason: damage.reason))
        }
    }

    /// - Returns: `nil` where it was removed meanwhile.
    private func move(_ key: String, _ reader: any BlobReader, _ told: String?) throws -> Moved? {
        guard let expected = try told ?? ofSource({ try route.source.digest(key) }) else { return nil }
        guard let destination = route.destination else {
            let found = try ofSource { rereads ? try digest(reader) : try route.source.digest(key) }
            guard found == expected else { throw damage(found ?? "none") }
            return Moved(bytes: reader.count, expected: expected, found: expected, isCopied: false)
        }
        if let there = try destination.open(key), there.count == reader.count,
            try (rereads ? digest(there) : destination.digest(key)) == expected
        {
            return Moved(bytes: reader.count, expected: expected, found: expected, isCopied: false)
        }
        let writer = try destination.create(key)
        do {
            let digest = try copy(reader, 0..<reader.count) { try writer.write($0) }
            guard digest == expected else { throw damage(digest) }
            guard try writer.commit() == expected else {
                throw JobsError(.io, "\(key) was changed on its way to the destination")
            }
        } catch let damage as Damage {
            writer.abort()
            // What an earlier run may have found there is no better.
            try destination.remove(key)
            throw damage
        } catch {
            writer.abort()
            throw error
        }
        try route.forget(key)
        return Moved(
            bytes: reader.count, expected: expected, found: try readBack(key, destination.open(key), expected),
            isCopied: true)
    }

    /// The bytes of an upload that its client may count on.
    private func moveUpload(_ key: String, _ received: Int64) throws -> Moved? {
        guard let reader = try ofSource({ try route.source.openPartial(key) }) else {
            throw Damage(reason: "is not there, and its client has sent \(received) bytes")
        }
        guard reader.count >= received else {
            throw Damage(reason: "has \(reader.count) bytes, and its client was told that \(received) are there")
        }
        let expected = try copy(reader, 0..<received) { _ in }
        let same = Moved(bytes: received, expected: expected, found: expected, isCopied: false)
        guard let destination = route.destination else { return same }
        if let there = try destination.openPartial(key), there.count == received, try digest(there) == expected {
            return same
        }
        let appender = try append(to: key, destination)
        do {
            defer { appender.close() }
            try appender.rewind(to: 0)
            guard try copy(reader, 0..<received, { try appender.write($0) }) == expected else {
                throw Damage(reason: "has changed while it was read")
            }
            try appender.checkpoint()
        }
        return Moved(
            bytes: received, expected: expected, found: try readBack(key, destination.openPartial(key), expected),
            isCopied: true)
    }

    /// Waits for the lock of a run that was killed to be over.
    private func append(to key: String, _ destination: any BlobStore) throws -> any BlobAppender {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                if let appender = try destination.resume(key) { return appender }
                try destination.remove(key)
            } catch let error as JobsError where error.code == .locked && ContinuousClock.now < deadline {
                Thread.sleep(forTimeInterval: 1)
            }
        }
    }

    private func readBack(_ key: String, _ reader: (any BlobReader)?, _ expected: String) throws -> String {
        guard let reader, try digest(reader) == expected else {
            throw JobsError(.io, "\(key): the destination does not give back what was put there")
        }
        return expected
    }

    // MARK: Helpers

    /// Gives every blob below a prefix, and why where one, or a folder of them, cannot be read.
    private func walk(_ prefix: String, _ body: (String, Result<any BlobReader, Damage>) throws -> Void) throws {
        switch try looking({ try route.source.children(of: prefix) }) {
        case .failure(let damage): try body(prefix, .failure(damage))
        case .success(let names):
            for name in names {
                let key = "\(prefix)/\(name)"
                switch try looking({ try route.source.open(key) }) {
                case .success(let reader?): try body(key, .success(reader))
                case .success(nil): try walk(key, body)
                case .failure(let damage): try body(key, .failure(damage))
                }
            }
        }
    }

    private func looking<T>(_ body: () throws -> T) throws -> Result<T, Damage> {
        do {
            return .success(try ofSource(body))
        } catch let damage as Damage {
            return .failure(damage)
        }
    }

    private func removeOthers(_ prefix: String, _ keys: Set<String>, _ destination: any BlobStore) throws {
        for name in try destination.children(of: prefix) {
            let key = "\(prefix)/\(name)"
            if keys.contains(key) { continue }
            if keys.contains(where: { $0.hasPrefix(key + "/") }) {
                try removeOthers(key, keys, destination)
            } else {
                try destination.remove(key)
            }
        }
    }

    private func copy(
        _ reader: any BlobReader, _ range: Range<Int64>, _ sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> String {
        var hash = SHA256()
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceSize, alignment: 16)
        defer { piece.deallocate() }
        var offset = range.lowerBound
        while offset < range.upperBound {
            let wanted = UnsafeMutableRawBufferPointer(
                rebasing: piece[..<Int(min(Int64(piece.count), range.upperBound - offset))])
            let count = try ofSource { try reader.read(into: wanted, at: offset) }
            guard count > 0 else { throw Damage(reason: "ends at byte \(offset) of \(range.upperBound)") }
            let bytes = UnsafeRawBufferPointer(rebasing: piece[..<count])
            hash.update(bufferPointer: bytes)
            try sink(bytes)
            offset += Int64(count)
        }
        return Hexadecimal.text(hash.finalize())
    }

    private func digest(_ reader: any BlobReader) throws -> String { try copy(reader, 0..<reader.count) { _ in } }

    private func damage(_ digest: String) -> Damage {
        Damage(reason: "is not what was put there: its SHA-256 is \(digest)")
    }

    /// A blob that cannot be read is one of many; a source that does not answer is none.
    private func ofSource<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as JobsError where error.code == .io || error.code == .corrupt {
            throw Damage(reason: "cannot be read: \(error.message)")
        }
    }
}
