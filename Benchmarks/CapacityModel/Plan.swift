/// The steps of docs/scaling.md, each on top of those before it.
public enum Plan {
    /// Nodes of a shard, in the last step but one of what there is and in the last of all.
    static let smallShard = 100
    static let largeShard = 1000

    /// For so many nodes.
    public static func steps(nodes: Int) -> [Installation] {
        var installation = Installation(name: "as installed")
        installation.nodes = nodes
        var steps = [installation]
        func step(_ name: String, _ change: (inout Installation) -> Void) {
            installation.name = name
            change(&installation)
            steps.append(installation)
        }
        step("store.connections: 2") { $0.connectionsPerNode = 3 }
        var sharded = installation
        sharded.name = "the same, in shards of \(smallShard)"
        sharded.shards = shards(nodes, of: smallShard)
        steps.append(sharded)
        step("only API nodes are told of changes") { $0.listeners = 10 }
        step("leases of a node renewed together, each 5 s; cancels told") {
            $0.heartbeatsPerJob = 0.2
            $0.looksPerJob = 0
        }
        step("statements through a pooler") { $0.connectionsPerNode = 0.1 }
        step("sweeps by one node in ten") { $0.sweepsPerNode = 0.4 }
        step("the same, in shards of \(largeShard)") { $0.shards = shards(nodes, of: largeShard) }
        return steps
    }

    private static func shards(_ nodes: Int, of size: Int) -> Int { (nodes + size - 1) / size }
}
