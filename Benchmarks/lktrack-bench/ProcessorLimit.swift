import Foundation

/// A control group of the bench's own whose processes have a share of one processor together. Removed by ``remove()``,
/// once they are gone.
struct ProcessorLimit {
    /// How it is done, for the report.
    let means: String
    private let folder: String

    private static let root = "/sys/fs/cgroup"
    /// Of the scheduler, in microseconds: short, so that a limited process is slow rather than in fits and starts.
    private static let period = 20_000

    /// - Parameter share: of one processor, 1 is all of it.
    /// - Throws: where the system refuses such groups.
    init(share: Double, name: String) throws {
        let quota = Int(Double(Self.period) * share)
        let groups = try String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8).split(separator: "\n")
        let name = "lktrack-bench-\(getpid())-\(name)"
        do {
            if FileManager.default.fileExists(atPath: Self.root + "/cgroup.controllers") {
                let parent = Self.root + (groups.first { $0.hasPrefix("0::") }?.dropFirst(3) ?? "/")
                try Self.write("+cpu", to: parent + "/cgroup.subtree_control")
                folder = try Self.make(name, in: parent)
                try Self.write("\(quota) \(Self.period)", to: folder + "/cpu.max")
                means = "cgroup v2, cpu.max \(quota) \(Self.period)"
            } else {
                // Lines are NUMBER:CONTROLLERS:PATH.
                let line = groups.map { $0.split(separator: ":", omittingEmptySubsequences: false) }.first {
                    $0.count == 3 && $0[1].split(separator: ",").contains("cpu")
                }
                guard let line else { throw BenchError("there is no controller 'cpu'") }
                folder = try Self.make(name, in: Self.root + "/cpu" + line[2])
                try Self.write("\(Self.period)", to: folder + "/cpu.cfs_period_us")
                try Self.write("\(quota)", to: folder + "/cpu.cfs_quota_us")
                means = "cgroup v1, cpu.cfs_quota_us \(quota) of \(Self.period)"
            }
        } catch {
            throw BenchError("control groups are refused (\(error)): run it as root, where they may be made")
        }
    }

    /// A command that moves itself into the group and becomes what its further arguments name.
    var launcher: [String] {
        ["/bin/bash", "-c", #"echo $$ >"$0/cgroup.procs" && exec "$@""#, folder]
    }

    /// To be called once its processes have ended; tries for a while, because the last ones may still be on their way out.
    func remove() {
        for _ in 0..<Self.tries {
            if rmdir(folder) == 0 || errno == ENOENT { return }
            usleep(10_000)
        }
    }

    private static let tries = 300

    private static func make(_ name: String, in parent: String) throws -> String {
        let folder = parent + (parent.hasSuffix("/") ? "" : "/") + name
        guard mkdir(folder, 0o755) == 0 else { throw BenchError("\(folder): \(String(cString: strerror(errno)))") }
        return folder
    }

    private static func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw BenchError("\(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        guard Glibc.write(file, text, text.utf8.count) == text.utf8.count else {
            throw BenchError("\(path): \(String(cString: strerror(errno)))")
        }
    }
}
