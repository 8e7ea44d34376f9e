import Dispatch
import Foundation

/// Clears away what came of requests that were cut off: not on the threads of connections, which tell of it and must not
/// wait.
final class AbortedUploads: Sendable {
    private let files = DispatchQueue(label: "aborted-uploads")
    private let blobs = OperationQueue()

    /// How many may wait for a bucket at the same time.
    private static let atOnce = 8

    init() {
        blobs.name = "aborted-uploads.blobs"
        blobs.maxConcurrentOperationCount = Self.atOnce
    }

    /// Closes and removes files of this machine, one request's after the other's: the space that a body has set aside is
    /// free then.
    func close(_ work: @escaping @Sendable () -> Void) { files.async(execute: work) }

    /// Does what may wait for a bucket, which can be minutes: for a few requests at a time, because whoever goes on with an
    /// upload that was cut off waits for it.
    func settle(_ work: @escaping @Sendable () -> Void) { blobs.addOperation(work) }

    /// Returns when everything is done that was to be done before.
    func wait() {
        files.sync {}
        blobs.waitUntilAllOperationsAreFinished()
    }
}
