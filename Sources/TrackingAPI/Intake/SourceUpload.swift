import Jobs

/// The source of a job on its way into the blob store. Used by one thread at a time.
protocol SourceUpload: Sendable {
    /// Whether something of it was written.
    var isOpen: Bool { get }
    /// A file begins.
    ///
    /// - Parameter fileName: without folders; `nil` where the client sent none.
    mutating func begin(fileName: String?) throws
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws
    /// The file is whole.
    mutating func end() throws
    /// Makes everything that was written durable.
    func commit() throws -> JobSource
    /// Lets go of what was written.
    func discard()
}

/// The first bytes of a file, kept until there are enough to recognise it: so nothing is written of what is refused.
struct RecognitionHead: Sendable {
    private(set) var bytes: [UInt8] = []

    var isFull: Bool { bytes.count >= APILimits.recognitionBytes }

    /// Takes what is still missing and returns the rest.
    mutating func take(_ chunk: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let count = min(max(APILimits.recognitionBytes - bytes.count, 0), chunk.count)
        bytes.append(contentsOf: chunk[..<count])
        return UnsafeRawBufferPointer(rebasing: chunk[count...])
    }
}
