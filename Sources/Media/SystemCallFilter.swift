import CSeccomp
import Glibc

/// What a decoder process may ask of the kernel: memory, threads, the time, and to read what is open already. It writes to
/// its spool alone: `write` would also fill the frames' memory file, which no limit of memory counts.
///
/// Anything else fails with EPERM, which honest libraries take for an answer. What only an intruder asks for kills the
/// process, so that it is seen. Both are decided by the kernel, before the call is looked at (seccomp(2)).
struct SystemCallFilter {
    private let rules: [Rule]

    private enum Verdict {
        case allow, kill
        case refuse(Int32)

        var action: UInt32 {
            switch self {
            case .allow: lk_seccomp_allow()
            case .kill: lk_seccomp_kill()
            case .refuse(let error): lk_seccomp_refuse(error)
            }
        }
    }

    private struct Rule {
        var call: String
        var verdict = Verdict.allow
        /// All must hold.
        var conditions: [scmp_arg_cmp] = []
    }

    init(for kind: DecoderTask.InputKind) {
        rules =
            (Self.memory + Self.threads + Self.time + Self.openFiles + Self.itself).map { Rule(call: $0) }
            + Self.conditional(kind) + Self.intrusions.map { Rule(call: $0, verdict: .kill) }
    }

    /// Puts the filter in force for all threads of this process, for good. `false` where the kernel refuses it.
    func load() -> Bool {
        guard let context = seccomp_init(lk_seccomp_refuse(EPERM)) else { return false }
        defer { seccomp_release(context) }
        // A library that was loaded may have threads already.
        guard seccomp_attr_set(context, SCMP_FLTATR_CTL_TSYNC, 1) == 0 else { return false }
        // Set apart from this, so that it can be told which of the two is refused.
        _ = seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0)
        // No slower code for the sake of a mitigation that kernels before 5.16 tie to filters.
        _ = seccomp_attr_set(context, SCMP_FLTATR_CTL_SSB, 1)
        _ = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)
        for rule in rules {
            let number = seccomp_syscall_resolve_name(rule.call)
            // Not a call of this architecture, or newer than the library: it stays refused.
            guard number != __NR_SCMP_ERROR, number >= 0 else { continue }
            let result = rule.conditions.withUnsafeBufferPointer {
                seccomp_rule_add_array(context, rule.verdict.action, number, UInt32($0.count), $0.baseAddress)
            }
            guard result == 0 else { return false }
        }
        return seccomp_load(context) == 0
    }
}

// MARK: The table

extension SystemCallFilter {
    private static let memory = ["brk", "madvise", "mremap", "munmap", "membarrier"]
    private static let threads = [
        "futex", "get_robust_list", "rseq", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
        "sched_yield", "set_robust_list", "set_tid_address",
    ]
    private static let time = [
        "clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep", "time", "times",
    ]
    private static let openFiles = [
        "close", "fadvise64", "fstat", "lseek", "poll", "ppoll", "pread64", "preadv", "read", "readv",
        "recvfrom",
    ]
    private static let itself = [
        "exit", "exit_group", "getcpu", "getegid", "geteuid", "getgid", "getpid", "getppid", "getrandom",
        "getrlimit", "getrusage", "gettid", "getuid", "restart_syscall", "rt_sigaction", "rt_sigprocmask",
        "rt_sigreturn", "sigaltstack", "sysinfo", "uname",
    ]

    /// Other programs, other processes, the kernel itself, and the network. No library of a decoder asks for them.
    private static let intrusions = [
        "accept", "accept4", "add_key", "bind", "bpf", "chroot", "connect", "delete_module", "execve", "execveat",
        "finit_module", "fork", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "kexec_load",
        "keyctl", "listen", "mount", "name_to_handle_at", "open_by_handle_at", "perf_event_open", "pidfd_getfd",
        "pivot_root", "process_vm_readv", "process_vm_writev", "ptrace", "reboot", "request_key", "setns", "swapon",
        "umount2", "unshare", "userfaultfd", "vfork",
    ]

    /// Calls of which some arguments are harmless. Pointers cannot be looked at, so none of these depends on one.
    private static func conditional(_ kind: DecoderTask.InputKind) -> [Rule] {
        var rules = [
            // Nothing that is not in a library becomes code.
            Rule(call: "mmap", conditions: [bits(2, PROT_EXEC, are: 0)]),
            Rule(call: "mprotect", conditions: [bits(2, PROT_EXEC, are: 0)]),
            // Threads, and no processes. `clone3` has its flags behind a pointer; glibc falls back to `clone`.
            Rule(call: "clone", conditions: [bits(0, cloneThread | newNamespaces, are: cloneThread)]),
            Rule(call: "clone3", verdict: .refuse(ENOSYS)),
            // abort(3), and nobody else's signals.
            Rule(call: "tgkill", conditions: [equal(0, Int(getpid()))]),
            // send(2) on the socket that there is: without an address.
            Rule(call: "sendto", conditions: [equal(4, 0)]),
            // What is open, as fstat(3) asks. With the flag a path that is not empty is still followed, and it cannot be
            // looked at: see "What a path names" in docs/threat_model.md.
            Rule(call: "newfstatat", conditions: [bits(3, emptyPath, are: emptyPath)]),
            Rule(call: "statx", conditions: [bits(2, emptyPath, are: emptyPath)]),
            // Reading limits, and not setting them.
            Rule(call: "prlimit64", conditions: [equal(2, 0)]),
            Rule(call: "prctl", conditions: [equal(0, setName)]),
        ]
        for command in [F_GETFD, F_SETFD, F_GETFL] {
            rules.append(Rule(call: "fcntl", conditions: [equal(1, Int(command))]))
        }
        switch kind {
        case .video, .image: break
        case .archive:
            // By its number: so no call may give the number to another file (dup(2), open(2)).
            let spool = [equal(0, Int(DecoderProcess.ChildDescriptor.spool))]
            rules.append(Rule(call: "pwrite64", conditions: spool))
            rules.append(Rule(call: "fstatfs", conditions: spool))
        case .folder:
            // The files of a folder are opened one by one, for reading.
            rules.append(Rule(call: "dup"))
            rules.append(Rule(call: "fcntl", conditions: [equal(1, Int(F_DUPFD_CLOEXEC))]))
            rules.append(
                Rule(call: "openat", conditions: [bits(2, O_ACCMODE | O_CREAT | O_TRUNC | openPath, are: O_RDONLY)]))
            rules.append(Rule(call: "getdents64"))
        }
        return rules
    }

    // What Swift's Glibc leaves out, of <linux/sched.h>, <linux/fcntl.h>, <asm-generic/fcntl.h> and <linux/prctl.h>.
    private static let cloneThread: Int32 = 0x0001_0000
    /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
    private static let newNamespaces: Int32 = 0x7E02_0000
    private static let emptyPath: Int32 = 0x1000
    private static let openPath: Int32 = 0o10000000
    private static let setName = 15

    private static func bits(_ argument: UInt32, _ mask: Int32, are value: Int32) -> scmp_arg_cmp {
        scmp_arg_cmp(
            arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: UInt64(UInt32(bitPattern: mask)),
            datum_b: UInt64(UInt32(bitPattern: value)))
    }

    private static func equal(_ argument: UInt32, _ value: Int) -> scmp_arg_cmp {
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_EQ, datum_a: UInt64(value), datum_b: 0)
    }
}
