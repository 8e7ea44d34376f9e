import Foundation

/// The time of day and random bytes, injected so that tests decide them.
public protocol Environment: Sendable {
    func now() -> Date
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
