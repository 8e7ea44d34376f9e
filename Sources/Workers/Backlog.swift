/// Jobs of a tenant that has more of them waiting. Nobody watches one of a hundred, so they stand back where there is no
/// processor for all, with the process that decodes and the thread that follows targets: for requests, and for the jobs of
/// tenants that have no other waiting. Where nobody else wants the processors, and where everybody has a backlog, they are
/// as fast as ever.
extension WorkerConfiguration {
    /// What is added to the niceness; see setpriority(2). With 5, three quarters of a processor go to who does not stand
    /// back, and a quarter stays.
    private static let backlogNiceness: Int32 = 5

    /// For such jobs. They leave the decoder that is kept ready to others.
    var standingBack: WorkerConfiguration {
        var configuration = self
        configuration.niceness = Self.backlogNiceness
        configuration.decoder.niceness = Self.backlogNiceness
        configuration.decoder.reserve = nil
        return configuration
    }
}
