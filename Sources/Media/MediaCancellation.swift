import Synchronization

/// A way to stop a source from any thread, also while it is being opened.
public final class MediaCancellation: Sendable {
    private struct State {
        var isCanceled = false
        var action: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())

    public init() {}

    public var isCanceled: Bool { state.withLock { $0.isCanceled } }

    /// For good: calls that block, and later ones, throw ``MediaError/Code/canceled``.
    public func cancel() {
        let action = state.withLock { state in
            state.isCanceled = true
            return state.action
        }
        action?()
    }

    /// What is done at a cancellation, in place of what was to be done before; at once where it was canceled already.
    func onCancel(_ action: (@Sendable () -> Void)?) {
        let isCanceled = state.withLock { state in
            state.action = action
            return state.isCanceled
        }
        if isCanceled { action?() }
    }
}
