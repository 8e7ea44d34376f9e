import CLinux
import Glibc

/// What is attempted. The answer is `done`, or `errno` and its number; some end the process.
enum Attempt: String, CaseIterable {
    case openForReading = "open-for-reading"
    case openForWriting = "open-for-writing"
    case makeFolder = "make-folder"
    case removeFile = "remove-file"
    case listFolder = "list-folder"
    case lookAtFile = "look-at-file"
    case openSocket = "open-socket"
    case openLocalSocket = "open-local-socket"
    case connectSocket = "connect-socket"
    case execute, fork, trace, namespaces
    case killServer = "kill-server"
    case writeInput = "write-input"
    case writeSpool = "write-spool"
    case fillFrames = "fill-frames"
    case fillFramesAsStandardError = "fill-frames-as-standard-error"
    case fillFramesAsSpool = "fill-frames-as-spool"
    case copyDescriptor = "copy-descriptor"
    case fileSize = "file-size"
    case executableMemory = "executable-memory"
    case raiseLimit = "raise-limit"
    case gainPrivileges = "gain-privileges"
    case useMemory = "use-memory"
    case useProcessor = "use-processor"
    case openMany = "open-many"
    case stall
    case threads
    case environment
    case crash

    func make() -> String {
        switch self {
        case .openForReading: outcome(open("/etc/passwd", O_RDONLY))
        case .openForWriting: outcome(open("/tmp/lktrack-probe", O_WRONLY | O_CREAT, 0o600))
        case .makeFolder: outcome(mkdir("/tmp/lktrack-probe-folder", 0o700))
        case .removeFile: outcome(unlink("/tmp/lktrack-probe"))
        case .listFolder: opendir("/") == nil ? "errno \(errno)" : "done"
        case .lookAtFile: lookAtFile()
        case .openSocket: outcome(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        case .openLocalSocket: outcome(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        case .connectSocket: connectSocket()
        case .execute: execute()
        case .fork: outcome(pid_t(truncatingIfNeeded: makeProcess()))
        case .trace: outcome(Int32(truncatingIfNeeded: syscall(calls.ptrace, getppid())))
        case .namespaces: outcome(Int32(truncatingIfNeeded: syscall(calls.unshare, 0x1000_0000)))
        case .killServer: outcome(kill(getppid(), SIGKILL))
        case .writeInput: write(to: 4)
        case .writeSpool: write(to: 6)
        case .fillFrames: append(to: 5)
        case .fillFramesAsStandardError: appendToCopy(of: 5, as: 2)
        case .fillFramesAsSpool: writeToCopy(of: 5, as: 6)
        case .copyDescriptor: outcome(fcntl(5, F_DUPFD_CLOEXEC, 6))
        case .fileSize: fileSize
        case .executableMemory: executableMemory()
        case .raiseLimit: raiseLimit()
        case .gainPrivileges: outcome(setuid(0))
        case .useMemory: useMemory()
        case .useProcessor: useProcessor()
        case .openMany: openMany()
        case .stall: stall()
        case .threads: makeThread()
        case .environment: environmentNames
        case .crash: crash()
        }
    }

    private func outcome(_ result: Int32) -> String { result < 0 ? "errno \(errno)" : "done" }

    /// Numbers of calls that have no wrapper here.
    private var calls: (clone: Int, ptrace: Int, unshare: Int) {
        #if arch(x86_64)
            (56, 101, 272)
        #else
            (220, 117, 97)
        #endif
    }

    private func syscall(_ number: Int, _ argument: some BinaryInteger) -> Int { clinux_call(number, Int(argument)) }

    private func lookAtFile() -> String {
        var status = stat()
        return outcome(stat("/etc/passwd", &status))
    }

    /// The socket that a decoder has is connected; an intruder would point it elsewhere.
    private func connectSocket() -> String {
        var address = sockaddr(sa_family: sa_family_t(AF_UNIX), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        return outcome(connect(3, &address, socklen_t(MemoryLayout<sockaddr>.size)))
    }

    private func execute() -> String {
        let name = strdup("/bin/true")
        var arguments: [UnsafeMutablePointer<CChar>?] = [name, nil]
        return outcome(execv("/bin/true", &arguments))
    }

    /// As fork(2) does: clone(2) without CLONE_THREAD. The child goes away.
    private func makeProcess() -> Int {
        let result = syscall(calls.clone, SIGCHLD)
        if result == 0 { _exit(0) }
        return result
    }

    private func write(to descriptor: Int32) -> String {
        var byte: UInt8 = 1
        return outcome(Int32(pwrite(descriptor, &byte, 1, 0)))
    }

    /// The most that it may write to a file.
    private var fileSize: String {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0
            ? "\(limit.rlim_cur)" : "errno \(errno)"
    }

    private func append(to descriptor: Int32) -> String {
        var byte: UInt8 = 1
        return outcome(Int32(Glibc.write(descriptor, &byte, 1)))
    }

    /// dup(2) gives the lowest number that is free.
    private func appendToCopy(of descriptor: Int32, as number: Int32) -> String {
        close(number)
        return dup(descriptor) == number ? append(to: number) : "errno \(errno)"
    }

    private func writeToCopy(of descriptor: Int32, as number: Int32) -> String {
        close(number)
        return dup(descriptor) == number ? write(to: number) : "errno \(errno)"
    }

    private func executableMemory() -> String {
        let memory = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { return "no memory" }
        return outcome(mprotect(memory, 4096, PROT_READ | PROT_EXEC))
    }

    private func raiseLimit() -> String {
        var limit = rlimit(rlim_cur: rlim_t(1) << 40, rlim_max: rlim_t(1) << 40)
        return outcome(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit))
    }

    /// How many MiB the kernel gives, up to 64 GiB.
    private func useMemory() -> String {
        var count = 0
        while count < 1024, let block = mmap(nil, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            block != MAP_FAILED
        { count += 1 }
        return "\(count * 64)"
    }

    private func useProcessor() -> String {
        var value: UInt64 = 1
        while value != 0 { value = (value &* 6_364_136_223_846_793_005 &+ 1) | 1 }
        return "done"
    }

    private func openMany() -> String {
        var count = 0
        while dup(4) >= 0 { count += 1 }
        return "\(count)"
    }

    private func stall() -> String {
        while true { sleep(1000) }
    }

    private func makeThread() -> String {
        var thread = pthread_t()
        guard pthread_create(&thread, nil, { _ in nil }, nil) == 0 else { return "errno \(errno)" }
        return pthread_join(thread, nil) == 0 ? "done" : "lost"
    }

    private var environmentNames: String {
        var names: [String] = []
        var entry = environ
        while let text = entry.pointee {
            names.append(String(String(cString: text).prefix { $0 != "=" }))
            entry += 1
        }
        return names.sorted().joined(separator: " ")
    }

    private func crash() -> String {
        let address = UnsafeMutablePointer<UInt8>(bitPattern: 16)
        address?.pointee = 1
        return "done"
    }
}
