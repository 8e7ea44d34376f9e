/// How much of the disk a job may take, in bytes.
public struct StorageLimits: Hashable, Sendable {
    /// The most that a job's records may have; its annotated video, and its crops together, may have as much each.
    public var resultBytes: Int64
    /// Free space that is left alone: a job that would write into it ends. Less than what is kept from uploads
    /// (``floor(ofReserve:)``), so that those which were accepted can be done.
    public var floorBytes: Int64

    public init(resultBytes: Int64 = 4 << 30, floorBytes: Int64 = floor(ofReserve: 256 << 20)) {
        self.resultBytes = resultBytes
        self.floorBytes = floorBytes
    }

    /// The share of a reserve that is kept from running jobs too: a quarter, for the database and the log.
    public static func floor(ofReserve bytes: Int64) -> Int64 { bytes / 4 }

    /// The share of a reserve that archives leave alone while they are unpacked: a half, so that none of them ends the jobs
    /// beside it, which may take more.
    public static func unpackingFloor(ofReserve bytes: Int64) -> Int64 { bytes / 2 }
}
