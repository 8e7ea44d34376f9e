import Dispatch
import Foundation
import HTTPServer
import Jobs
import Synchronization
import Testing

@testable import TrackingAPI

/// Time that stands still until a test moves it.
final class ManualTimer: WatchTimer {
    private struct State {
        var now = Duration.seconds(1000)
        var tick: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    func now() -> Duration { state.withLock { $0.now } }
    func start(_ tick: @escaping @Sendable () -> Void) { state.withLock { $0.tick = tick } }
    func stop() { state.withLock { $0.tick = nil } }

    /// Whether somebody waits for time to pass.
    var isRunning: Bool { state.withLock { $0.tick != nil } }

    func advance(_ duration: Duration) {
        let tick = state.withLock { state in
            state.now += duration
            return state.tick
        }
        tick?()
    }
}

/// A request that is answered later.
final class HeldRequest: Sendable {
    private struct State: Sendable {
        var response: HTTPResponse?
    }

    private let state = Mutex(State())
    private let answered = DispatchSemaphore(value: 0)

    init(_ start: (HTTPResponder) -> Void) {
        start(
            HTTPResponder { [self] response in
                state.withLock { $0.response = response }
                answered.signal()
            })
    }

    /// The answer; `nil` where there is none within the patience.
    func wait() -> HTTPResponse? {
        guard answered.wait(timeout: .now() + 30) == .success else { return nil }
        return state.withLock { $0.response }
    }

    var isAnswered: Bool { state.withLock { $0.response != nil } }
}

/// A client of a body that comes when it comes, driven as the server drives it.
final class LiveClient {
    let response: HTTPResponse
    private let stream: any HTTPLiveBodyStream
    private let woken = DispatchSemaphore(value: 0)
    private(set) var bytes: [UInt8] = []
    /// The body is whole.
    private(set) var isOver = false
    /// The body was cut off.
    private(set) var isCut = false

    init(_ response: HTTPResponse) throws {
        self.response = response
        guard case .stream(let body) = response.body, let live = body as? any HTTPLiveBodyStream else {
            throw NoLiveBody(status: response.status)
        }
        stream = live
        live.attach { [woken] in woken.signal() }
    }

    struct NoLiveBody: Error { var status: Int }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Takes what there is now.
    func take() {
        // Of an odd size, so that pieces do not fit by accident.
        var buffer = [UInt8](repeating: 0, count: 997)
        while !isOver, !isCut {
            do {
                let count = try buffer.withUnsafeMutableBytes { try stream.read(into: $0) }
                bytes += buffer[..<count]
                guard count == 0 else { continue }
                guard !stream.pending() else { return }
                isOver = true
            } catch {
                isCut = true
            }
        }
    }

    /// Takes what comes until it is so. False where that is not within the patience.
    func take(until isSo: (LiveClient) -> Bool) -> Bool {
        take()
        while !isSo(self) {
            guard woken.wait(timeout: .now() + 30) == .success else { return false }
            take()
        }
        return true
    }

    /// Takes everything up to the end of the body. False where it is cut off.
    func takeAll() -> Bool { take { $0.isOver || $0.isCut } && isOver }

    /// Takes what comes until it is woken no more. False where it is woken again and again.
    func takeUntilQuiet() -> Bool {
        for _ in 0..<20 {
            take()
            guard woken.wait(timeout: .now() + .milliseconds(200)) == .success else { return true }
        }
        return false
    }

    var events: [ServerEvent] { ServerEvent.parse(text) }
}

/// An event as a client of the WHATWG's specification reads it (HTML §9.2.6).
struct ServerEvent: Equatable {
    var id = ""
    var name = "message"
    var data = ""

    var json: JSONValue? { try? JSONValue(parsing: Array(data.utf8)) }

    static func parse(_ text: String) -> [ServerEvent] {
        var events: [ServerEvent] = []
        var lastID = ""
        // What stands behind the last empty line is no whole event.
        for block in text.components(separatedBy: "\n\n").dropLast() {
            var event = ServerEvent()
            var data: [String] = []
            for line in block.split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                guard parts.count == 2, !parts[0].isEmpty else { continue }
                let value = parts[1].hasPrefix(" ") ? String(parts[1].dropFirst()) : parts[1]
                switch parts[0] {
                case "id": lastID = value
                case "event": event.name = value
                case "data": data.append(value)
                default: break
                }
            }
            guard !data.isEmpty else { continue }
            event.id = lastID
            event.data = data.joined(separator: "\n")
            events.append(event)
        }
        return events
    }
}
