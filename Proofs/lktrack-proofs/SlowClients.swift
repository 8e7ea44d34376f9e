import ServiceHarness

/// Clients that are slow in the same way. Each sends a byte now and then.
struct SlowClients {
    /// What is slow.
    let what: String
    /// By what the server's log says that it cuts such a client.
    let reason: String
    /// In seconds: none may be there by then, on a machine with a processor to spare.
    let deadline: Double
    /// How many are there yet, and when that was last looked at while some were.
    private(set) var left: Int
    private(set) var seen = 0.0

    private let clients: [WireClient]
    private let bytes: [UInt8]
    /// Seconds between two bytes of a client.
    private let pace: Double
    private var sent = 0

    // HTTPServerConfiguration's, in seconds.
    private static let headTimeout = 10.0
    private static let rateWindow = 10.0
    /// Added to each deadline for a busy machine.
    private static let patience = 5.0

    var count: Int { clients.count }

    static func heads(_ count: Int, to server: Server) throws -> SlowClients {
        let clients = try (0..<count).map { _ in try WireClient(port: server.port) }
        let head = "GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 1000)
        return SlowClients(
            "heads", cutWhere: "the head did not come in time", by: headTimeout, clients, head, every: 0.5)
    }

    /// They get the window in which a body has a least rate, and one more: it begins anew where the server looks just
    /// while it takes a byte in, which is not the client's fault.
    static func bodies(_ count: Int, to server: Server) throws -> SlowClients {
        let head =
            "POST /v1/jobs?roi=1,1,9,9 HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n"
            + "Content-Length: 100000\r\n\r\n"
        let clients = try (0..<count).map { _ in
            let client = try WireClient(port: server.port)
            client.send(head)
            return client
        }
        return SlowClients(
            "bodies", cutWhere: "the body came too slowly", by: 2 * rateWindow, clients, "RIFF", every: 2)
    }

    /// They ask for something long and read nothing of it, but send on: that they are cut is seen by who sends.
    ///
    /// The kernel takes part of an answer before anybody reads it, and only what it does not take keeps the server
    /// waiting. With loopback's segments of 64 KiB that part is 2.6 MB a connection, with an Ethernet's some 90 KB: so
    /// hundreds of such clients cost the machine 30 MB.
    ///
    /// - Parameter path: of ``longAnswer`` bytes.
    static func readers(_ count: Int, of path: String, from server: Server) throws -> SlowClients {
        let request = "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n"
        let clients = try (0..<count).map { _ in
            let client = try WireClient(port: server.port, receiveBuffer: 4096, segment: 1460)
            client.send(request)
            return client
        }
        return SlowClients(
            "answers", cutWhere: "the response was taken too slowly", by: rateWindow, clients, request, every: 1)
    }

    /// More bytes than the kernel takes of an answer, whatever the segments.
    static let longAnswer = 8 << 20

    private init(
        _ what: String, cutWhere reason: String, by deadline: Double, _ clients: [WireClient], _ text: String,
        every pace: Double
    ) {
        self.what = what
        self.reason = reason
        self.deadline = deadline + Self.patience
        self.clients = clients
        self.pace = pace
        bytes = Array(text.utf8)
        left = clients.count
    }

    /// Sends what is due by an age in seconds: each client's turn comes once in the pace, one after another.
    mutating func drip(at age: Double) {
        let due = Int(age / pace * Double(count))
        while sent < due {
            clients[sent % count].send([bytes[sent / count % bytes.count]])
            sent += 1
        }
    }

    /// Counts those that are there.
    mutating func look(at age: Double) {
        guard left > 0 else { return }
        left = clients.count { !$0.isClosed }
        seen = age
    }
}
