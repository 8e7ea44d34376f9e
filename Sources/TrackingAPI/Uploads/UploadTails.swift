import Dispatch

/// Brings requests that were cut off to their end, one after the other, on a thread of its own.
final class UploadTails: Sendable {
    private let queue = DispatchQueue(label: "upload-tails")

    func run(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }

    /// Returns when everything is done that was to be done before.
    func wait() { queue.sync {} }
}
