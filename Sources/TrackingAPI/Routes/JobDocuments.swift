import HTTPServer
import Jobs
import Synchronization

/// Jobs' documents as they were read last, good for as long as nothing in the store has changed: clients ask for a job
/// again and again, mostly in vain, and then neither the store nor a handler's thread needs to be troubled.
final class JobDocuments: Sendable {
    struct Document: Sendable {
        let tag: EntityTag
        let response: HTTPResponse
    }

    private struct Key: Hashable {
        let id: String
        let tenant: TenantID
    }

    private struct State {
        var version: Int64?
        var documents: [Key: Document] = [:]
    }

    private let changes: any ChangeCount
    private let state = Mutex(State())

    private static let most = 1024
    /// A longer document is not kept: a spec may have thousands of keyframes.
    private static let longest = 16 * 1024

    init(_ changes: any ChangeCount) { self.changes = changes }

    /// Does not block.
    ///
    /// - Parameter id: as the path has it.
    func current(_ id: String, tenant: TenantID) -> Document? {
        guard let version = changes.changeCount() else { return nil }
        return state.withLock { state in
            state.version == version ? state.documents[Key(id: id, tenant: tenant)] : nil
        }
    }

    /// Reads a document and keeps it for the next who asks.
    func read(_ id: String, tenant: TenantID, _ body: () throws -> Document) rethrows -> Document {
        // Before the store is looked at: a change that comes between makes what is read count as old.
        let version = changes.changeCount()
        let document = try body()
        guard let version, case .bytes(let bytes) = document.response.body, bytes.count <= Self.longest else {
            return document
        }
        state.withLock { state in
            if state.version != version { state = State(version: version) }
            if state.documents.count >= Self.most { state.documents.removeAll(keepingCapacity: true) }
            state.documents[Key(id: id, tenant: tenant)] = document
        }
        return document
    }
}
