import Jobs
import Media

/// Watches what is written to one result or video: that it does not grow beyond what a job may store, and leaves some of
/// the disk to everybody else. Used by one thread.
struct StorageMeter {
    /// Bytes between two looks at the disk.
    private static let interval: Int64 = 1 << 20

    private let blobs: any BlobStore
    private let limits: StorageLimits
    private var nextLook: Int64 = 0

    init(_ blobs: any BlobStore, _ limits: StorageLimits) {
        self.blobs = blobs
        self.limits = limits
    }

    /// Looks at the disk at the first call, and then once a mebibyte.
    ///
    /// - Parameters:
    ///   - bytes: that there are, with those that are about to be written.
    ///   - spare: bytes that are needed beside them for a while.
    /// - Throws: ``MediaError/Code/limitExceeded`` where these are more than a job may have, and what ``look(spare:)``
    ///   throws.
    mutating func check(_ bytes: Int64, spare: Int64 = 0) throws(MediaError) {
        guard bytes <= limits.resultBytes else {
            throw MediaError(
                .limitExceeded,
                "the job's result grows beyond the \(limits.resultBytes) bytes that are allowed (limits.result_bytes): "
                    + "track fewer targets or frames, or have the limit raised")
        }
        guard bytes >= nextLook else { return }
        nextLook = bytes + Self.interval
        try look(spare: spare)
    }

    /// - Throws: ``MediaError/Code/storageFull`` where less of the disk is free than is left alone. Where nobody can tell,
    ///   it is left to the writing.
    func look(spare: Int64 = 0) throws(MediaError) {
        guard let free = try? blobs.makeRoom(for: limits.floorBytes + spare) else { return }
        guard free - spare >= limits.floorBytes else {
            throw MediaError(
                .storageFull,
                "\(free) bytes are free, \(spare) are needed for a while, and \(limits.floorBytes) are left alone")
        }
    }
}
