extension DecoderCommand {
    /// Starts a decoder that restricts itself as for a job, and returns what this system refused of that.
    ///
    /// What it returns may be put into ``tolerated``; whoever does so should tell people. Throws
    /// ``MediaError/Code/system`` where no decoder can be started at all.
    public func refusedRestrictions() throws(MediaError) -> DecoderRestrictions {
        let decoder = try StartedDecoder(self, environment: StartedDecoder.environment(limits: DecodeLimits()))
        let (child, channel) = (decoder.child, decoder.channel)
        defer { child.end() }
        channel.send(.check)
        switch channel.receive(seconds: Self.checkSeconds) {
        case .message(.checked(let refused)): return refused
        case .message(.failed(let error)): throw error
        default:
            let signal = child.end()
            throw MediaError(
                .system, "a decoder process does not start" + (signal.map { ": it was ended by signal \($0)" } ?? ""))
        }
    }

    /// A start takes a tenth of a second where the machine is not busy.
    private static let checkSeconds = 30.0
}
