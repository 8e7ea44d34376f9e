extension Job {
    /// - Throws: ``JobsError/Code/otherRevision`` where the job has another revision; `nil` takes any.
    public func require(revision wanted: Int64?) throws(JobsError) {
        guard let wanted, revision != wanted else { return }
        throw JobsError(.otherRevision, "the job has revision \(revision), not \(wanted)")
    }
}
