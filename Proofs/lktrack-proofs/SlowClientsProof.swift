import ServiceHarness

/// Clients that take their time hold nobody up, and are cut.
struct SlowClientsProof: Proof {
    let name = "slow clients"
    let claim = """
        1,000 slow connections, that send heads, send bodies or do not read: another client's GET takes less than \
        100 ms (p99), and all are cut in time
        """

    private static let (heads, bodies, readers) = (334, 333, 333)
    private static let count = heads + bodies + readers
    /// Before so many seconds nobody may be cut.
    private static let earliest = 5.0
    /// Between two looks at who is there, in seconds.
    private static let interval = 0.5

    func run(_ options: ProofOptions) throws -> ProofResult {
        guard allowOpenFiles(Self.count + 200) else { throw NotProvable(reason: "too few open files are allowed") }
        let server = try Server(
            "--workers", "1",
            environment: ["LKTRACK_SERVER_CONNECTIONS": "\(Self.count + 200)", "LKTRACK_LOG_LEVEL": "debug"])
        let wire = server.wire
        let id = try server.finishedJob(Clip.make(frames: 10).padded(to: SlowClients.longAnswer))
        let path = "/v1/jobs/\(id)"
        var result = ProofResult(
            tried: "\(Self.heads) connections that send a byte of a head every 0.5 s, "
                + "\(Self.bodies) that send one of a body every 2 s, and \(Self.readers) that read nothing of 8 MiB")
        var slow = try [
            SlowClients.heads(Self.heads, to: server), SlowClients.bodies(Self.bodies, to: server),
            SlowClients.readers(Self.readers, of: path + "/source", from: server),
        ]
        var times: [Double] = []
        let share = MachineShare()
        let start = ContinuousClock.now
        let longest = slow.map(\.deadline).max() ?? 0
        var (age, next) = (0.0, Self.interval)
        while age < share.allowed(longest), slow.contains(where: { $0.left > 0 }) {
            for index in slow.indices { slow[index].drip(at: age) }
            times.append(
                try seconds {
                    if try wire.get(path).status != 200 { result.losses.append("a GET failed") }
                })
            pause(0.005)
            age = (ContinuousClock.now - start) / .seconds(1)
            guard age >= next else { continue }
            next = age + Self.interval
            for index in slow.indices { slow[index].look(at: age) }
            if age < Self.earliest, let early = slow.first(where: { $0.left < $0.count }) {
                result.losses.append("\(early.count - early.left) \(early.what) were cut after \(age.text()) s already")
                break
            }
        }
        share.end()
        // The log of the last comes a moment after their ends.
        pause(1)
        let log = server.log.text
        for clients in slow {
            result.expect(clients.left == 0, "\(clients.left) \(clients.what) were not cut after \(age.text()) s")
            result.expect(
                clients.seen <= share.allowed(clients.deadline),
                "the last of the \(clients.what) were cut after \(clients.seen.text(1)) s\(share.text)")
            let cut = log.lines(containing: clients.reason)
            result.expect(cut == clients.count, "\(cut) of \(clients.count) \(clients.what): \(clients.reason)")
        }
        let p99 = percentile(times, 0.99) * 1000
        result.expect(p99 < share.allowed(100), "the p99 is \(p99.text(1)) ms\(share.text)")
        let ends = slow.map { "\($0.what) \($0.seen.text(1)) s" }.joined(separator: ", ")
        result.figure = "p99 \(p99.text(1)) ms over \(times.count) GETs; the last were cut after: \(ends)\(share.text)"
        return result
    }
}
