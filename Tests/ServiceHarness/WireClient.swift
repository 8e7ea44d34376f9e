import Foundation
import Glibc

/// One connection to a server, byte by byte: what curl does not send.
package final class WireClient {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private let descriptor: Int32

    /// - Parameters:
    ///   - source: the address that it comes from; `nil`: whichever the system takes.
    ///   - receiveSeconds: how long connecting, sending and receiving may stand still.
    ///   - receiveBuffer: bytes that the kernel takes before they are read, about; `nil`: as many as it likes.
    ///   - segment: bytes of a TCP segment, at most; `nil`: as many as fit.
    package init(
        host: String = "127.0.0.1", port: Int, from source: String? = nil, receiveSeconds: Int = 60,
        receiveBuffer: Int32? = nil, segment: Int32? = nil
    ) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if var bytes = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        if var bytes = segment {
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_MAXSEG, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            var patience = timeval(tv_sec: receiveSeconds, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        let isOpen =
            (source.map { Self.call(bind, descriptor, $0, 0) } ?? true)
            && Self.call(connect, descriptor, host, UInt16(port))
        // It closes the descriptor: what throws once everything has its value is deinitialised.
        guard isOpen else { throw Failure(description: "cannot connect: \(String(cString: strerror(errno)))") }
    }

    private static func call(
        _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ descriptor: Int32, _ host: String,
        _ port: UInt16
    ) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr(host)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                function(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    deinit { close(descriptor) }

    /// Whether all of it went.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Everything that comes, to the end of the connection.
    package func readToEnd() -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = receive() { bytes += more }
        return bytes
    }

    /// `nil` at the end, and after the time that reading may take.
    package func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    /// Whether the server has closed it by now. As long as something that it sent is not read, that is only seen where
    /// this end sends on.
    package var isClosed: Bool {
        var state = pollfd(fd: descriptor, events: 0, revents: 0)
        if Glibc.poll(&state, 1, 0) > 0, state.revents & Int16(POLLERR | POLLHUP) != 0 { return true }
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)
    }
}

/// What came back of a request.
package struct WireAnswer: Sendable {
    package var status: Int
    package var bytes: [UInt8]
    /// The status line and the fields.
    package var head: String

    /// - Parameter message: all that came (RFC 9112, section 2.1).
    package init(_ message: [UInt8]) {
        let end = message.firstRange(of: Array("\r\n\r\n".utf8))
        head = String(decoding: message[..<(end?.lowerBound ?? message.endIndex)], as: UTF8.self)
        status = head.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) } ?? 0
        let whole = end.map { message[$0.upperBound...] } ?? []
        bytes = head.lowercased().contains("\r\ntransfer-encoding: chunked") ? Self.joined(whole) : Array(whole)
    }

    /// Several answers of one connection, of which none comes in chunks.
    package static func all(_ messages: [UInt8]) -> [WireAnswer] {
        var answers: [WireAnswer] = []
        var rest = messages[...]
        while let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) {
            let head = String(decoding: rest[..<end.lowerBound], as: UTF8.self).lowercased()
            let field = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            let length = field.flatMap { Int($0.filter(\.isNumber)) } ?? 0
            answers.append(WireAnswer(Array(rest[..<end.upperBound] + rest[end.upperBound...].prefix(length))))
            rest = rest[end.upperBound...].dropFirst(length)
        }
        return answers
    }

    /// A body without its chunks' sizes (RFC 9112, section 7.1).
    private static func joined(_ chunks: ArraySlice<UInt8>) -> [UInt8] {
        var rest = chunks
        var body: [UInt8] = []
        while let line = rest.firstRange(of: Array("\r\n".utf8)),
            let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16), size > 0
        {
            body += rest[line.upperBound...].prefix(size)
            rest = rest[line.upperBound...].dropFirst(size + 2)
        }
        return body
    }

    /// For what is text: bytes that are not look alike in it.
    package var body: String { String(decoding: bytes, as: UTF8.self) }

    /// Where a list goes on (RFC 8288).
    package var next: String? {
        head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("link:") && $0.hasSuffix("rel=\"next\"") }?
            .split(separator: "<").last?.split(separator: ">").first.map(String.init)
    }

    package var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]) ?? [:]
    }
}

/// Requests by the thousand, which processes of curl are too slow for. From any thread.
package struct WireServer: Sendable {
    package let host: String
    package let port: Int

    package init(host: String = "127.0.0.1", port: Int) {
        self.host = host
        self.port = port
    }

    package func request(
        _ method: String, _ path: String, fields: [String] = [], body: [UInt8] = [], seconds: Int = 60
    ) throws -> WireAnswer {
        let client = try WireClient(host: host, port: port, receiveSeconds: seconds)
        var lines = ["\(method) \(path) HTTP/1.1", "Host: \(host)", "Connection: close"] + fields
        if !body.isEmpty || method == "POST" { lines.append("Content-Length: \(body.count)") }
        client.send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)
        return WireAnswer(client.readToEnd())
    }

    package func get(_ path: String, _ fields: [String] = []) throws -> WireAnswer {
        try request("GET", path, fields: fields)
    }

    /// Submits a video; the job's id where it was accepted.
    package func submit(_ clip: Clip, query: String = "", fields: [String] = []) throws -> String? {
        let answer = try request(
            "POST", "/v1/jobs?roi=\(clip.box)\(query)", fields: ["Content-Type: application/octet-stream"] + fields,
            body: clip.bytes)
        return answer.status == 202 ? answer.json["id"] as? String : nil
    }
}

extension Server {
    package var wire: WireServer { WireServer(port: port) }
}

/// A short video in memory.
package struct Clip: Sendable {
    package let bytes: [UInt8]
    package let box: String
    package let frames: Int

    package static func make(frames: Int, size: String = "160x120", seed: Int = 1) throws -> Clip {
        let video = try Material.syntheticVideo(frames: frames, seed: seed, size: size)
        return Clip(
            bytes: Array(try Data(contentsOf: URL(fileURLWithPath: video.path))), box: video.boxes[0], frames: frames)
    }

    /// The same video in so many bytes, of which the last are a chunk to be skipped (RIFF's `JUNK`).
    package func padded(to count: Int) -> Clip {
        let rest = count - bytes.count - 8
        let head = Array("JUNK".utf8) + withUnsafeBytes(of: UInt32(rest).littleEndian) { Array($0) }
        return Clip(bytes: bytes + head + [UInt8](repeating: 0, count: rest), box: box, frames: frames)
    }
}
