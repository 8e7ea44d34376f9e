import CLinux
import Glibc

/// A decoder process and the server's end of its socket.
struct StartedDecoder: Sendable {
    let child: ChildProcess
    let channel: DecoderChannel

    /// Starts one. Its descriptors are the socket and `descriptors`, or nothing in their places.
    init(
        _ command: DecoderCommand, environment: [String], descriptors: [Descriptor]? = nil
    ) throws(MediaError) {
        var numbers: [Int32] = [-1, -1]
        guard clinux_socket_pair(&numbers) == 0 else { throw MediaError.system("cannot make a socket") }
        // Both at once: whatever fails from here on closes both.
        let (own, childs) = (Descriptor(numbers[0]), Descriptor(numbers[1]))
        channel = DecoderChannel(own)
        let others = if let descriptors { descriptors } else { try Self.nothing() }
        child = try ChildProcess.start(command, environment: environment, descriptors: [childs] + others)
    }

    /// One that has the task and its descriptors: that of the reserve, or a new one.
    static func forTask(
        _ task: DecoderTask, _ command: DecoderCommand, descriptors: [Descriptor]
    ) throws(MediaError) -> StartedDecoder {
        let environment = Self.environment(limits: task.request.limits)
        // One that was killed while it waited takes no message.
        if let spare = command.reserve?.take(command, environment),
            spare.channel.send(.request(task), passing: descriptors)
        {
            return spare
        }
        let decoder = try StartedDecoder(command, environment: environment, descriptors: descriptors)
        decoder.channel.send(.request(task))
        return decoder
    }

    /// OpenCV and Swift read these when they are loaded. LD_LIBRARY_PATH is how some installations find Swift's own
    /// libraries.
    ///
    /// Without Swift's handler of crashes, which could start no process here, a fault ends the decoder at once; with it,
    /// a signal from outside would pass for a fault that was dealt with.
    static func environment(limits: DecodeLimits) -> [String] {
        var environment = [
            "OPENCV_IO_MAX_IMAGE_PIXELS=\(max(limits.pixels, 1))", "OPENCV_LOG_LEVEL=SILENT",
            "SWIFT_BACKTRACE=enable=no",
        ]
        if let path = getenv("LD_LIBRARY_PATH") { environment.append("LD_LIBRARY_PATH=\(String(cString: path))") }
        return environment
    }

    /// Keeps the numbers of a task's descriptors from being given to other files until there is a task.
    private static func nothing() throws(MediaError) -> [Descriptor] {
        let null = try Descriptor(checking: open("/dev/null", O_RDWR | O_CLOEXEC), "cannot open /dev/null")
        return [null, null, null]
    }
}
