import CLinux
import Glibc
import Synchronization

/// Which program a decoder process runs: one whose main calls ``DecoderMain/run()``.
public struct DecoderCommand: Hashable, Sendable {
    public var executable: String
    /// Without the program's own name.
    public var arguments: [String]
    /// What a decoder may do without: what ``refusedRestrictions()`` found. One that can be restricted less refuses to
    /// work.
    public var tolerated: DecoderRestrictions
    /// Where a decoder waits that was started ahead. Without, each is started when there is work for it.
    public var reserve: DecoderReserve?
    /// How much further than this process a decoder stands back where there is no processor for all: what is added to
    /// its niceness, see setpriority(2). Not of one from ``reserve``.
    public var niceness: Int32 = 0

    public init(
        executable: String, arguments: [String], tolerated: DecoderRestrictions = [], reserve: DecoderReserve? = nil
    ) {
        self.executable = executable
        self.arguments = arguments
        self.tolerated = tolerated
        self.reserve = reserve
    }

    /// This program with ``DecoderMain/subcommand``.
    public static let current = DecoderCommand(executable: "/proc/self/exe", arguments: [DecoderMain.subcommand])
}

/// A child that is killed and waited for exactly once, whoever asks.
final class ChildProcess: Sendable {
    let identifier: pid_t

    private enum State {
        case running
        /// With the status of waitpid(2).
        case ended(Int32)
    }
    /// Held while a signal is sent, so that none reaches a process that was given the number afterwards.
    private let state = Mutex(State.running)

    private init(identifier: pid_t) { self.identifier = identifier }

    deinit { end() }

    /// Starts a program that is given the descriptors as 3, 4 … and no others, in a process group of its own.
    static func start(
        _ command: DecoderCommand, environment: [String], descriptors: [Descriptor]
    ) throws(MediaError) -> ChildProcess {
        guard let thread = LastingThread.shared else {
            throw MediaError(.system, "cannot start a decoder process: there is no thread left")
        }
        let numbers = descriptors.map(\.number)
        let niceness = command.niceness
        let (pid, cause) = thread.run { () -> (pid_t, Int32) in
            var pid: pid_t = 0
            let result = withCStrings([command.executable] + command.arguments) { arguments in
                withCStrings(environment) { environment in
                    numbers.withUnsafeBufferPointer { numbers in
                        command.executable.withCString { executable in
                            var process = clinux_process(
                                executable: executable, arguments: arguments, environment: environment,
                                fds: numbers.baseAddress, fd_count: numbers.count)
                            return clinux_spawn(&process, &pid)
                        }
                    }
                }
            }
            guard result == 0 else { return (pid, errno) }
            // It has not begun to load yet, which is much of its work. Where that is refused it works as others do.
            if niceness > 0 { clinux_stand_back(pid, niceness) }
            return (pid, 0)
        }
        withExtendedLifetime(descriptors) {}
        guard cause == 0 else {
            let reason = String(cString: strerror(cause))
            throw MediaError(.system, "cannot start a decoder process from \(command.executable): \(reason)")
        }
        return ChildProcess(identifier: pid)
    }

    /// Kills the process and what it may have started. From any thread.
    func kill() {
        state.withLock { state in
            if case .running = state { _ = Glibc.kill(-identifier, SIGKILL) }
        }
    }

    /// Kills the process where it still runs, and takes its status. Returns the signal that ended it before, or `nil`.
    @discardableResult
    func end() -> Int32? {
        let status = state.withLock { state -> Int32 in
            if case .ended(let status) = state { return status }
            // An exit that has begun keeps its status; the signal comes too late to change it.
            _ = Glibc.kill(-identifier, SIGKILL)
            var status: Int32 = 0
            while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
            state = .ended(status)
            return status
        }
        let signal = clinux_wait_signal(status)
        return signal == 0 ? nil : signal
    }
}

/// Calls `body` with a NULL-terminated array of C strings.
private func withCStrings<R>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
) -> R {
    var pointers = strings.map { strdup($0) }
    pointers.append(nil)
    defer { pointers.forEach { free($0) } }
    return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
}
