import Foundation
import ServiceHarness

/// Hosts of the proof's own: network namespaces on a bridge, in one that no way leads out of. The kernel takes all of
/// them away with the last process in them, however the proof ends.
final class ClusterNetwork {
    struct Host: Sendable {
        let name: String
        let address: String
        /// What a command is given to as arguments, to run there.
        let launcher: [String]
        /// Of its namespace.
        let inode: UInt64
        fileprivate let link: String
    }

    /// For tests of networks; routed nowhere (RFC 2544, appendix C.2.2).
    private static let prefix = "198.18.0."
    private static let bridge = "hub"
    private var keepers: [Process] = []
    private var leashes: [Pipe] = []

    /// In the namespace of this process, which must be one of its own.
    init() throws {
        try Self.ip("link", "add", Self.bridge, "type", "bridge")
        try Self.ip("address", "add", Self.prefix + "1/24", "dev", Self.bridge)
        try Self.ip("link", "set", Self.bridge, "up")
    }

    /// A command that becomes another, in a network namespace of its own with nothing but a loopback device.
    static func apart(_ command: [String]) -> [String] {
        ["/usr/bin/unshare", "--net", "--", "/bin/sh", "-c", "ip link set lo up && exec \"$@\"", "sh"] + command
    }

    /// Why network namespaces cannot be made here; `nil`: they can.
    static func problem() -> String? {
        let command = apart(["true"])
        guard let tried = try? Executable.run(command[0], Array(command.dropFirst())) else {
            return "unshare cannot be run"
        }
        return tried.status == 0 ? nil : tried.standardError.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func host(_ name: String, _ number: Int) throws -> Host {
        // Keeps the namespace for as long as this process holds the pipe.
        let (keeper, leash) = (Process(), Pipe())
        let command = Self.apart(["cat"])
        keeper.executableURL = URL(fileURLWithPath: command[0])
        keeper.arguments = Array(command.dropFirst())
        keeper.standardInput = leash
        try keeper.run()
        keepers.append(keeper)
        leashes.append(leash)
        let path = "/proc/\(keeper.processIdentifier)/ns/net"
        // Once it is a `cat`, its loopback device is up, too.
        let program = "/proc/\(keeper.processIdentifier)/comm"
        try poll("a network namespace") { try String(contentsOfFile: program, encoding: .utf8) == "cat\n" }
        let link = "to-\(name)"
        let inside = ["/usr/bin/nsenter", "--net=\(path)", "--"]
        try Self.ip(
            "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", "\(keeper.processIdentifier)")
        try Self.ip("link", "set", link, "master", Self.bridge, "up")
        let address = Self.prefix + "\(number)"
        for arguments in [
            ["address", "add", address + "/24", "dev", "eth0"],
            ["link", "set", "eth0", "up"],
        ] { try Self.run(inside + ["/usr/bin/env", "ip"] + arguments) }
        return Host(name: name, address: address, launcher: inside, inode: try Self.inode(path), link: link)
    }

    /// From now on whatever is sent to it or by it is dropped, silently.
    func cutOff(_ host: Host) throws { try Self.ip("link", "set", host.link, "nomaster") }

    func mend(_ host: Host) throws { try Self.ip("link", "set", host.link, "master", Self.bridge) }

    func close() {
        for leash in leashes { try? leash.fileHandleForWriting.close() }
        for keeper in keepers { keeper.waitUntilExit() }
    }

    /// Network namespaces in which there is a process now.
    static func inodesInUse() -> Set<UInt64> {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return Set(processes.compactMap { Int32($0) }.compactMap { try? inode("/proc/\($0)/ns/net") })
    }

    private static func inode(_ path: String) throws -> UInt64 {
        var status = stat()
        guard stat(path, &status) == 0 else { throw ProofError("\(path): \(String(cString: strerror(errno)))") }
        return UInt64(status.st_ino)
    }

    private static func ip(_ arguments: String...) throws { try run(["/usr/bin/env", "ip"] + arguments) }

    private static func run(_ command: [String]) throws {
        let output = try Executable.run(command[0], Array(command.dropFirst()))
        guard output.status == 0 else { throw ProofError("\(command.joined(separator: " ")): \(output.standardError)") }
    }
}
