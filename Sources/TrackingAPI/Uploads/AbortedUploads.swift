import Dispatch

/// Clears away what came of requests that were cut off: not on the threads of connections, which tell of it and must not
/// wait.
final class AbortedUploads: Sendable {
    private let files = DispatchQueue(label: "aborted-uploads")
    // Apart, because a bucket may take minutes: whoever goes on with an upload that was cut off waits for its file, and
    // the space that a body has set aside is free once its file is closed.
    private let blobs = DispatchQueue(label: "aborted-uploads.blobs")

    /// Closes and removes files of this machine, one request's after the other's.
    func close(_ work: @escaping @Sendable () -> Void) { files.async(execute: work) }

    /// Removes what may be in a bucket.
    func remove(_ work: @escaping @Sendable () -> Void) { blobs.async(execute: work) }

    /// Returns when everything is done that was to be done before.
    func wait() {
        files.sync {}
        blobs.sync {}
    }
}
