/// Tells which of many jobs have changed, in one look: for those who watch jobs that other processes run.
public protocol JobRevisionStore: Sendable {
    /// The ``Job/revision`` of each of these jobs that is there, whoever owns it. Blocks.
    func revisions(of ids: [JobID]) throws -> [JobID: Int64]
}
