import Jobs

/// Where blobs are, and where they are to be.
package struct BlobRoute: Sendable {
    package let source: any BlobStore
    /// `nil`: they stay where they are.
    package let destination: (any BlobStore)?
    /// Lets go of what the destination keeps of a blob on this machine, so that it is read from where it was put.
    let forget: @Sendable (String) throws -> Void

    package init(
        from source: any BlobStore, to destination: (any BlobStore)?,
        forget: @escaping @Sendable (String) throws -> Void = { _ in }
    ) {
        self.source = source
        self.destination = destination
        self.forget = forget
    }
}

/// A blob that could not be moved because of what it is at the source.
package struct DamagedBlob: Hashable, Sendable, CustomStringConvertible {
    /// `job ID` or `upload ID`.
    package let owner: String
    package let key: String
    package let reason: String

    package var description: String { "\(owner): \(key) \(reason)" }
}

/// What became of blobs.
package struct BlobFigures: Hashable, Sendable {
    package internal(set) var source = Tally()
    package internal(set) var destination = Tally()
    package internal(set) var copied = 0
    /// The first of those that are damaged; so many at most.
    package internal(set) var damaged: [DamagedBlob] = []
    package private(set) var damagedCount = 0

    private static let mostDamagedKept = 1000

    mutating func add(_ blob: DamagedBlob) {
        damagedCount += 1
        if damaged.count < Self.mostDamagedKept { damaged.append(blob) }
    }

    mutating func add(_ other: BlobFigures) {
        source.add(other.source)
        destination.add(other.destination)
        copied += other.copied
        damaged += other.damaged.prefix(Self.mostDamagedKept - damaged.count)
        damagedCount += other.damagedCount
    }
}
