/// How far a database's move to another one has come.
package enum DatabaseMove: String, Hashable, Sendable, CaseIterable {
    /// What it holds is being copied for the last time: nothing may change here.
    case moving
    /// What it held is elsewhere.
    case moved
}
