import Foundation
import Glibc
import ServiceHarness
import Synchronization

/// Passes connections on to a server, and cuts them where a test says: when the client sends a certain text.
final class CuttingProxy: Sendable {
    enum Failure: Error { case cannotListen }

    private struct Cut {
        var text: String
        /// Whether the server still gets what the text is in. The client gets no answer either way.
        var isForwarding: Bool
        var isRefusingOthers: Bool
    }

    private struct State {
        var cut: Cut?
        var hasCut = false
        var isRefusing = false
        var sockets: [Int32] = []
    }

    let port: Int
    private let target: Int
    private let listener: Int32
    private let state = Mutex(State())

    init(to target: Int) throws {
        self.target = target
        port = try FreePort.find()
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var reuse: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        guard Self.withAddress(port, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
            throw Failure.cannotListen
        }
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0, let self else { return }
                self.serve(client)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        for socket in state.withLock({ $0.sockets }) { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    /// Whether it has cut since it was last told to.
    var hasCut: Bool { state.withLock { $0.hasCut } }

    func cutAtNextCommit(forwarding isForwarding: Bool, refusingOthers: Bool = false) {
        cut(at: "COMMIT", forwarding: isForwarding, refusingOthers: refusingOthers)
    }

    func cut(at text: String, forwarding isForwarding: Bool, refusingOthers: Bool = false) {
        state.withLock { state in
            state.cut = Cut(text: text, isForwarding: isForwarding, isRefusingOthers: refusingOthers)
            state.hasCut = false
        }
    }

    func acceptAgain() { state.withLock { $0.isRefusing = false } }

    private func serve(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let target = target
        guard !state.withLock({ $0.isRefusing }), Self.withAddress(target, { connect(server, $0, $1) }) == 0 else {
            close(client)
            close(server)
            return
        }
        state.withLock { $0.sockets += [client, server] }
        Thread.detachNewThread { [weak self] in Self.pump(client, server) { self?.judge($0) ?? .pass } }
        Thread.detachNewThread { Self.pump(server, client) { _ in .pass } }
    }

    private enum Verdict { case pass, forwardAndCut, cut }

    private func judge(_ bytes: ArraySlice<UInt8>) -> Verdict {
        state.withLock { state in
            guard let cut = state.cut, Data(bytes).range(of: Data(cut.text.utf8)) != nil else { return .pass }
            state.cut = nil
            state.hasCut = true
            state.isRefusing = cut.isRefusingOthers
            return cut.isForwarding ? .forwardAndCut : .cut
        }
    }

    /// Passes bytes on until either end closes or the verdict is to cut. The server always sees an orderly end, behind
    /// what it was sent.
    private static func pump(_ from: Int32, _ to: Int32, _ judge: (ArraySlice<UInt8>) -> Verdict) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(from, &buffer, buffer.count)
            let verdict = count > 0 ? judge(buffer[..<count]) : .cut
            if verdict == .forwardAndCut || verdict == .cut { shutdown(from, Int32(SHUT_RDWR)) }
            if count > 0, verdict != .cut {
                var done = 0
                while done < count {
                    let sent = buffer.withUnsafeBytes {
                        send(to, $0.baseAddress! + done, count - done, Int32(MSG_NOSIGNAL))
                    }
                    guard sent > 0 else { break }
                    done += sent
                }
            }
            if verdict != .pass {
                shutdown(to, Int32(SHUT_WR))
                return
            }
        }
    }

    private static func withAddress(
        _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
