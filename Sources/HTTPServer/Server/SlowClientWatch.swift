/// What a connection is doing, as far as deadlines go.
enum ConnectionPhase: UInt64, Sendable {
    /// Before the end of a connection's first head.
    case firstHead
    /// Between requests, or before the end of a later head.
    case idle
    /// A body arrives.
    case body
    /// A handler works: nothing is expected of the client.
    case handling
    /// The answer waits for something to happen.
    case waiting
    /// A response is sent.
    case sending
    /// A response was sent early, and the rest of the body is thrown away.
    case lingering

    /// Whether the request is not whole yet.
    var isRequest: Bool { self == .firstHead || self == .idle || self == .body }
}

/// How far the two sides of a connection have come, as the kernel counts.
struct ConnectionProgress: Equatable {
    var received: UInt64 = 0
    var acknowledged: UInt64 = 0
    /// Bytes that came and that the server has not read yet.
    var unread = 0
    /// Bytes that were sent and that the client has not acknowledged yet.
    var unsent = 0
    /// The client will send no more.
    var hasEnded = false
    /// The connection is suspended: a handler or a sink works on what came.
    var isServerBusy = false
}

/// Decides when a client is too slow. Looked at now and then; knows no clock and no socket.
///
/// A timeout that every byte resets is no use: one byte a second held a connection for as long as the client liked. So a head
/// has a deadline, and bodies and responses have a least rate.
struct SlowClientWatch: Sendable {
    struct Limits: Sendable {
        /// Nanoseconds, all of them.
        var head: Int64
        var idle: Int64
        var linger: Int64
        var window: Int64
        /// Bytes that must move within a window.
        var windowBytes: UInt64

        init(_ configuration: HTTPServerConfiguration) {
            head = configuration.headTimeout.nanoseconds
            idle = configuration.idleTimeout.nanoseconds
            linger = configuration.lingerTimeout.nanoseconds
            window = configuration.rateWindow.nanoseconds
            let seconds = Double(window) / 1e9
            windowBytes = UInt64(max(1, (Double(configuration.minimumRate) * seconds).rounded()))
        }
    }

    private static let patientLooks = 2

    private var looksAfterEnd = 0
    private var phase = ConnectionPhase.firstHead
    private var phaseBegan: Int64 = .min
    private var windowBegan: Int64 = 0
    private var atWindowStart = ConnectionProgress()

    /// Why the connection must be cut now, or `nil`.
    mutating func verdict(
        phase: ConnectionPhase, began: Int64, now: Int64, progress: ConnectionProgress, limits: Limits
    ) -> String? {
        if phase != self.phase || began != phaseBegan {
            (self.phase, phaseBegan) = (phase, began)
            openWindow(now, progress)
        }
        if hasLeft(phase, progress) { return "the client left" }
        switch phase {
        case .firstHead:
            return now - began > limits.head ? "the head did not come in time" : nil
        case .idle:
            // The first byte of a next request starts the head's deadline.
            guard progress.received == atWindowStart.received else {
                return now - windowBegan > limits.head ? "the head did not come in time" : nil
            }
            windowBegan = now
            return now - began > limits.idle ? "no request came" : nil
        case .body:
            // What waits here unread is not the client's fault.
            if progress.unread > 0 || progress.isServerBusy { openWindow(now, progress) }
            return isTooSlow(now, progress.received &- atWindowStart.received, progress, limits)
                ? "the body came too slowly" : nil
        case .sending:
            if progress.unsent == 0 { openWindow(now, progress) }
            return isTooSlow(now, progress.acknowledged &- atWindowStart.acknowledged, progress, limits)
                ? "the response was taken too slowly" : nil
        case .lingering:
            return now - began > limits.linger ? "the rest of the body did not come in time" : nil
        case .handling, .waiting:
            return nil
        }
    }

    /// Whether the client will never complete its request, or waits no more for what is to come. libmicrohttpd 0.9.75 does
    /// not notice the former where the end came together with the last bytes it read (it needs a moment for those bytes:
    /// the request may be whole), nor the latter, because it does not look at suspended connections.
    private mutating func hasLeft(_ phase: ConnectionPhase, _ progress: ConnectionProgress) -> Bool {
        let isLive = progress.isServerBusy && (phase == .waiting || phase == .sending)
        let isExpected = isLive || (phase.isRequest && !progress.isServerBusy)
        let seemsSo = isExpected && progress.hasEnded && progress.unread == 0
        looksAfterEnd = seemsSo ? looksAfterEnd + 1 : 0
        return looksAfterEnd > Self.patientLooks
    }

    private mutating func isTooSlow(
        _ now: Int64, _ moved: UInt64, _ progress: ConnectionProgress, _ limits: Limits
    ) -> Bool {
        guard now - windowBegan >= limits.window else { return false }
        openWindow(now, progress)
        return moved < limits.windowBytes
    }

    private mutating func openWindow(_ now: Int64, _ progress: ConnectionProgress) {
        windowBegan = now
        atWindowStart = progress
    }
}
