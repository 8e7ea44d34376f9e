import Foundation

/// The time of day and random bytes, injected so that tests decide them. Called from any thread; never blocks.
public protocol Environment: Sendable {
    /// The time by this machine's clock, which may be set, also backwards: for what is told and stored, and not to
    /// measure how long something takes.
    func now() -> Date
    /// So many bytes that nobody can guess: tokens, keys and ids are made of them.
    func randomBytes(_ count: Int) -> [UInt8]
}

/// The machine's clock and the system's random generator.
public struct SystemEnvironment: Environment {
    public init() {}
    public func now() -> Date { Date() }
    public func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
