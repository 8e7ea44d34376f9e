/// What the rest of the program tells the API about itself.
public struct ServiceHealth: Hashable, Sendable {
    /// 0 on a node that runs none.
    public var workersExpected: Int
    public var workersAlive: Int
    /// No new work is taken any more.
    public var isStopping: Bool
    /// What this system refuses to restrict decoder processes in, in words. They work without.
    public var missingRestrictions: [String]

    public init(
        workersExpected: Int, workersAlive: Int, isStopping: Bool = false, missingRestrictions: [String] = []
    ) {
        self.workersExpected = workersExpected
        self.workersAlive = workersAlive
        self.isStopping = isStopping
        self.missingRestrictions = missingRestrictions
    }
}
