import Glibc

/// What was waited for did not come to be in time.
public struct NotInTime: Error, CustomStringConvertible {
    public let what: String

    public var description: String { "waited in vain for \(what)" }
}

/// Asks until it is so, for at most half a minute. Throws ``NotInTime`` where it does not come to be, and what the
/// question throws.
///
/// As `poll` of the harness of the service, which suites of stores and of the API do without: between two questions the
/// thread leaves the processor to those that it waits for.
public func waitFor(_ what: String, seconds: Double = 30, _ isSo: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !isSo() {
        guard ContinuousClock.now < deadline else { throw NotInTime(what: what) }
        // On no file, so that nothing ends it early. Milliseconds.
        _ = poll(nil, 0, 2)
    }
}
