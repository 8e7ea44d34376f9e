import Glibc

/// Asks until it is so, for at most a minute. Throws what was waited for where it does not come to be, and what the
/// question throws.
///
/// Between two questions the thread leaves the processor to those that it waits for: on a machine of two cores they
/// would come to little beside a thread that spins.
package func poll(_ what: String, seconds: Double = 60, _ isSo: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !isSo() {
        guard ContinuousClock.now < deadline else { throw Server.Failure.timedOut(what) }
        // On no file, so that nothing ends it early. Milliseconds: what is waited for is seldom there for less.
        _ = Glibc.poll(nil, 0, 2)
    }
}
