/// Where uploads, results and videos are kept, by key: `jobs/{id}/source`, `jobs/{id}/results-1.ndjson`.
///
/// A key is 1-8 segments of `[A-Za-z0-9._-]`, none of which starts with a dot, joined by `/`. Calls block.
public protocol BlobStore: Sendable {
    /// Whether another machine has the blobs, which may take its time to answer, or not answer.
    var isRemote: Bool { get }

    /// Starts a blob. Nothing is seen under its key before ``BlobWriter/commit()``.
    func create(_ key: String) throws -> any BlobWriter

    /// Goes on with a blob that outlives its writers until one of them finishes it, or starts one.
    ///
    /// - Returns: `nil` where the key has a finished blob.
    /// - Throws: ``JobsError/Code/locked`` while another appender to the same key is open, in this process or another.
    ///   One whose process died is not open.
    func resume(_ key: String) throws -> (any BlobAppender)?

    /// `nil` where there is no such blob.
    func open(_ key: String) throws -> (any BlobReader)?

    /// A blob that is still being written, read from its start: what was flushed so far, or became durable of one that is
    /// resumed. `nil` where there is none.
    func openPartial(_ key: String) throws -> (any BlobReader)?

    /// The digest of a finished blob as its commit returned it: SHA-256 in lower-case hexadecimal. `nil` where there is
    /// no such blob.
    func digest(_ key: String) throws -> String?

    /// Gives a finished blob a second key, under which it stays when the first is removed. It costs no space and no time
    /// where the store can share the bytes, which never change. A blob that had the key is replaced.
    ///
    /// - Returns: `false` where there is no such blob.
    func copy(_ key: String, to other: String) throws -> Bool

    /// Removes the blob, and every blob (finished or not) whose key starts with `key + "/"`. No error where there is
    /// none.
    func remove(_ key: String) throws

    /// The keys' next segments under a prefix, sorted: `children(of: "jobs")` lists the job ids that have blobs, also such
    /// as have only a blob that can be resumed below them.
    func children(of prefix: String) throws -> [String]

    /// A path under which a decoder or an encoder can open the finished blob.
    func localPath(_ key: String) throws -> String?

    /// A file for what has no key: gone when it is let go of, and with the process.
    func scratch() throws -> any ScratchFile

    /// Bytes that may still be written.
    func availableBytes() throws -> Int64

    /// Frees space on the disk to which blobs are written, as far as the store can, until so many bytes are free there;
    /// asks no other machine. To be called while a blob grows.
    ///
    /// - Returns: bytes that are free there now.
    func makeRoom(for bytes: Int64) throws -> Int64
}

extension BlobStore {
    /// Of a store on this machine.
    public var isRemote: Bool { false }

    /// Of a store that has nothing to remove.
    public func makeRoom(for bytes: Int64) throws -> Int64 { try availableBytes() }

    /// How many bytes finished blobs have together; a key without one has none.
    public func bytes(of keys: [String]) throws -> Int64 { try keys.reduce(0) { try $0 + (open($1)?.count ?? 0) } }
}

/// One blob on its way in. Used by one thread at a time. Dropped without a commit, it leaves nothing behind.
///
/// It ends with ``commit()``, whether that returns or throws, or with ``abort()``; nothing can be written after it.
public protocol BlobWriter: AnyObject, Sendable {
    /// Bytes that were written, also those that are in memory still. Of what an encoder writes to ``localPath()``, none
    /// before the commit.
    var count: Int64 { get }
    /// Puts bytes at the end. They are copied, and may stay in memory until the next ``flush()`` or ``commit()``.
    ///
    /// - Throws: ``JobsError/Code/storageFull`` where there is no room for them. Some of them may have been written:
    ///   nothing can be done then but to abort.
    func write(_ bytes: UnsafeRawBufferPointer) throws
    /// Overwrites bytes that were written before (the header of a tar entry whose size was not known).
    func overwrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws
    /// Makes what was written readable through ``BlobStore/openPartial(_:)``.
    func flush() throws
    /// Makes the blob durable (file and folder) and visible under its key. Returns its digest, SHA-256 in lower-case
    /// hexadecimal.
    func commit() throws -> String
    /// Gives the blob up: what was written is removed, and what an encoder wrote with it. A blob that the key had
    /// before stays. Does nothing after a commit, or a second time. A store of objects asks its server, where something
    /// was flushed.
    func abort()
    /// A path under which what was written so far can be read, until the commit or the abort.
    func partialPath() throws -> String
    /// A path that an encoder writes to instead, with the key's extension; there is nothing yet. The encoder may put
    /// files of its own beside it, under longer names. What is there at the commit becomes the blob.
    func localPath() throws -> String
}

/// One blob that comes in pieces. Used by one thread at a time. Dropped without a commit, it leaves everything that
/// became durable to the next ``BlobStore/resume(_:)``.
///
/// A checkpoint is where a store of objects ends a part of its multipart upload; so it can go back to a checkpoint, and
/// to no other place.
public protocol BlobAppender: AnyObject, Sendable {
    /// Where the next byte goes. In the beginning: what is there, of which bytes after the last checkpoint may be none
    /// that anybody vouches for.
    var count: Int64 { get }
    /// Puts bytes at the end. They are copied, and not sure to be kept before the next ``checkpoint()``.
    func write(_ bytes: UnsafeRawBufferPointer) throws
    /// Makes what was written durable.
    func checkpoint() throws
    /// Drops what lies beyond an offset: 0, or the ``count`` of a ``checkpoint()``, this appender's or an earlier one's.
    func rewind(to offset: Int64) throws
    /// Makes the blob durable and visible under its key. Nothing is left to resume.
    func commit() throws
    /// Lets the next appender in. Nothing can be written any more.
    func close()
}

/// Bytes that are put away and read again. Used by one thread at a time.
public protocol ScratchFile: AnyObject, Sendable {
    func append(_ bytes: UnsafeRawBufferPointer) throws
    /// Reads up to the buffer's size from an offset; less only at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int
}

/// One blob that is read. Any number of threads may share it: it has no position of its own, and reads may block.
///
/// Of a finished blob it gives the bytes that were there when it was opened. Where the blob is replaced or removed
/// meanwhile it goes on or, in a store of objects, throws; it never gives a mixture.
public protocol BlobReader: AnyObject, Sendable {
    /// Bytes that the blob had when it was opened. One that is still being written may have more by now.
    var count: Int64 { get }
    /// Reads up to the buffer's size from an offset; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int
    /// A descriptor for `sendfile`, owned by the reader and valid while it lives; `nil` where there is none.
    var fileDescriptor: Int32? { get }
}
