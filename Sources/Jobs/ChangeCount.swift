/// Tells whether anything in a store may have changed, without looking at what: so that what was read can be answered
/// again.
public protocol ChangeCount: Sendable {
    /// Another number after every change that anybody has made, in this process or another; the same while there is none.
    /// What is read after this call is at least as new. What others do may show a moment later where the store is on another
    /// machine; what this process does shows at once. `nil` where that cannot be told now. Does not block.
    func changeCount() -> Int64?
}
