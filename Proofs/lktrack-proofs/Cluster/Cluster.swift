import Foundation
import ServiceHarness
import Synchronization

/// Three nodes, a PostgreSQL and a bucket, each on a host of its own.
final class Cluster {
    let network: ClusterNetwork
    let database: PostgresServer
    let bucket: MotoServer
    let nodes: [ClusterNode]
    let databaseHost: ClusterNetwork.Host
    private let bucketHost: ClusterNetwork.Host

    /// - Parameter leaseSeconds: of the nodes' workers.
    init(nodes count: Int, leaseSeconds: Int) throws {
        let network = try ClusterNetwork()
        databaseHost = try network.host("database", 2)
        bucketHost = try network.host("bucket", 3)
        let database = try PostgresServer(host: databaseHost.address, launcher: databaseHost.launcher)
        let bucket = try MotoServer(host: bucketHost.address, launcher: bucketHost.launcher)
        let environment = bucket.environment.merging([
            "LKTRACK_STORE_URL": database.url(), "LKTRACK_BLOBS_URL": bucket.url("lktrack"), "LKTRACK_AUTH": "none",
            "LKTRACK_LEASE_SECONDS": "\(leaseSeconds)",
        ]) { $1 }
        nodes = try (1...count).map { number in
            try ClusterNode(try network.host("node\(number)", 10 + number), environment)
        }
        (self.network, self.database, self.bucket) = (network, database, bucket)
    }

    var namespaces: Set<UInt64> { Set(([databaseHost, bucketHost] + nodes.map(\.host)).map(\.inode)) }

    /// Stops everything that still runs. What the nodes left is gone afterwards.
    func close() {
        for node in nodes where node.server.processIsRunning { node.server.crash() }
        database.crash()
        bucket.stop()
        network.close()
    }
}

/// A node. Started and ended by one thread; asked by any.
final class ClusterNode: Sendable {
    let host: ClusterNetwork.Host
    private let state: Mutex<State>

    private struct State: @unchecked Sendable {
        // @unchecked Sendable: behind the lock of `state`; the server is changed by one thread alone.
        var server: Server
        var wire: WireServer
        /// Of those that were killed.
        var logs: [String] = []
    }

    init(_ host: ClusterNetwork.Host, _ environment: [String: String]) throws {
        self.host = host
        // It goes with this process, whatever becomes of that.
        let launcher = ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"] + host.launcher
        let settings = environment.merging(["LKTRACK_SERVER_ADDRESS": host.address]) { $1 }
        let server = try Server("--workers", "1", environment: settings, launcher: launcher)
        state = Mutex(State(server: server, wire: WireServer(host: host.address, port: server.port)))
    }

    var server: Server { state.withLock { $0 }.server }
    var wire: WireServer { state.withLock { $0.wire } }

    /// `kill -9`, and a start at once.
    func killAndStart() throws {
        let server = server
        server.crash()
        let log = server.log.text
        try server.start()
        let wire = WireServer(host: host.address, port: server.port)
        state.withLock { state in
            state.wire = wire
            state.logs.append(log)
        }
    }

    /// Lines of all its lives that hold a text.
    func lines(containing text: String) -> Int {
        let logs = state.withLock { $0.logs } + [server.log.text]
        return logs.reduce(0) { $0 + $1.lines(containing: text) }
    }

    /// Whether it is ready and answers for a job.
    func answers(for job: String) -> Bool {
        let wire = wire
        func status(_ path: String) -> Int { (try? wire.request("GET", path, seconds: 1).status) ?? 0 }
        return status("/readyz") == 200 && status("/v1/jobs/\(job)") == 200
    }
}
