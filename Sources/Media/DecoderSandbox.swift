import CLinux
import Glibc

/// What a decoder process gives up before it touches its input. Every restriction of it belongs here.
enum DecoderSandbox {
    /// Throws where the system refuses a restriction that the task does not tolerate: a decoder does not run without.
    static func apply(for task: DecoderTask) throws(MediaError) {
        let refused = restrict(for: task).subtracting(task.tolerated)
        guard refused.isEmpty else {
            throw MediaError(
                .system, "the decoder process cannot be restricted: \(refused.names.joined(separator: ", "))")
        }
    }

    /// Restricts this process as for a video with the usual limits. Returns what the system refused, or took and does
    /// not keep to.
    static func check() -> DecoderRestrictions {
        var refused = restrict(for: DecoderTask(kind: .video(.mp4), request: DecodeRequest()))
        if !isFiltered { refused.insert(.systemCalls) }
        return refused
    }

    /// Returns what was refused.
    private static func restrict(for task: DecoderTask) -> DecoderRestrictions {
        let limits = task.request.limits
        var refused: DecoderRestrictions = []
        func note(_ restriction: DecoderRestrictions, _ isKept: Bool) {
            if !isKept { refused.insert(restriction) }
        }
        note(.orphanhood, clinux_die_with_parent() == 0)
        note(.newPrivileges, clinux_set_no_new_privileges() == 0)
        note(.coreFiles, limit(RLIMIT_CORE, to: 0))
        // A build for a sanitizer could not even start a thread.
        note(.memory, clinux_is_sanitized() || limit(RLIMIT_AS, to: limits.memoryBytes))
        let seconds = Int(min(limits.seconds, longestSeconds).rounded(.up)) * mostThreads
        // The signal comes at the soft limit, and says which it was.
        note(.processorTime, limit(RLIMIT_CPU, to: seconds, hard: seconds + 1))
        let spooled =
            task.kind.unpacks ? Spool.mostBytes(of: DecoderProcess.ChildDescriptor.spool, limits) : 0
        note(.fileSize, limit(RLIMIT_FSIZE, to: spooled))
        note(.openFiles, limit(RLIMIT_NOFILE, to: mostFiles))
        // Last, because it takes the calls above away.
        note(.systemCalls, SystemCallFilter(for: task.kind).load())
        return refused
    }

    /// Takes a lower limit of the system's for granted.
    private static func limit(_ kind: some RawRepresentable<UInt32>, to value: Int, hard: Int? = nil) -> Bool {
        let resource = __rlimit_resource_t(kind.rawValue)
        var current = rlimit()
        guard getrlimit(resource, &current) == 0 else { return false }
        var wanted = rlimit(
            rlim_cur: min(rlim_t(clamping: value), current.rlim_max),
            rlim_max: min(rlim_t(clamping: hard ?? value), current.rlim_max))
        return setrlimit(resource, &wanted) == 0
    }

    /// Whether a call that the filter refuses, and that would otherwise succeed, is refused.
    private static var isFiltered: Bool {
        let number = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if number >= 0 { close(number) }
        return number < 0 && errno == EPERM
    }

    /// Threads of a codec; see `most_threads` of CVBridge.
    private static let mostThreads = 4
    /// Years; no product with it overflows.
    private static let longestSeconds = 1e9
    private static let mostFiles = 64
}

extension DecoderTask.InputKind {
    /// Whether it writes what it unpacks to its spool.
    var unpacks: Bool { if case .archive = self { true } else { false } }
}
