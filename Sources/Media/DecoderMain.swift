import CLinux
import CVBridge
import Glibc

/// The decoder process itself.
///
/// `lktrack` calls ``run()`` first thing when its only argument is ``subcommand``, before it parses arguments, reads a
/// configuration or sets up a log: the process has no use for any of it, and every start pays for it.
public enum DecoderMain {
    /// The hidden subcommand.
    public static let subcommand = "decoder-process"

    /// Serves one request and returns the exit code. Its descriptors are those of ``DecoderProcess``; those of the input
    /// come with the request where it was started before there was one (``DecoderReserve``).
    public static func run() -> Int32 { run(inside: nil) }

    /// - Parameter probe: for tests: what a program of theirs does in the decoder's place, once it is restricted.
    package static func run(inside probe: (() throws(MediaError) -> Void)?) -> Int32 {
        // One that waits for its task must not outlive its server either.
        _ = clinux_die_with_parent()
        let channel = DecoderChannel(Descriptor(DecoderProcess.ChildDescriptor.socket))
        do {
            // Names in archives are UTF-8.
            setlocale(LC_CTYPE, "C.UTF-8")
            try Bridge.check("cannot set the decoder up", code: .system) { cvb_prepare($0) }
            switch channel.receive(placingDescriptorsFrom: DecoderProcess.ChildDescriptor.input) {
            case .message(.request(let task)): try work(on: task, over: channel, probe)
            case .message(.check): channel.send(.checked(refused: DecoderSandbox.check()), wait: true)
            default: return EX_USAGE
            }
        } catch {
            channel.send(.failed(error), wait: true)
        }
        return 0
    }

    private static func work(
        on task: DecoderTask, over channel: DecoderChannel, _ probe: (() throws(MediaError) -> Void)?
    ) throws(MediaError) {
        // Libraries are files: they are opened before the process gives that up.
        if task.kind.isImages { try Picture.loadLibraries() }
        try DecoderSandbox.apply(for: task)
        if let probe { return try probe() }
        do {
            try serve(task, over: channel)
        } catch  where error.code == .noMemory {
            throw MediaError(
                .limitExceeded,
                "decoding it takes more than the \(task.request.limits.memoryBytes) bytes of memory that are allowed",
                frame: error.frame)
        }
    }

    private static func serve(_ task: DecoderTask, over channel: DecoderChannel) throws(MediaError) {
        let heartbeat = Heartbeat(channel: channel)
        let source = try PictureSourceFactory.open(task, heartbeat: heartbeat)
        let request = task.request
        let info = source.info
        guard let layout = FrameLayout(width: info.width, height: info.height, color: request.color) else {
            throw MediaError(.limitExceeded, "frames of \(info.width)x\(info.height) are too large")
        }
        channel.send(.opened(info), wait: true)
        guard case .message(.ring(let slots)) = channel.receive() else { return }
        var writer = try FrameWriter(layout: layout, slots: slots, channel: channel)
        var index = request.start
        while index < min(request.stop ?? Int.max, request.limits.frames), let stamp = try source.load(index) {
            guard try writer.write(source, index: index, stamp: stamp) else { return }
            let (next, overflow) = index.addingReportingOverflow(request.step)
            if overflow { break }
            index = next
        }
        if index == request.start {
            throw MediaError(.noFrames, "there is no frame \(request.start)", frame: request.start)
        }
        channel.send(.end, wait: true)
    }
}

/// Tells the server now and then that work goes on.
final class Heartbeat {
    private let channel: DecoderChannel
    private var last = ContinuousClock.now
    private static let interval = Duration.milliseconds(100)

    init(channel: DecoderChannel) { self.channel = channel }

    func beat() {
        let now = ContinuousClock.now
        guard now - last >= Self.interval else { return }
        last = now
        channel.send(.progress)
    }
}

/// The decoder's side of the ring.
private struct FrameWriter: ~Copyable {
    private let layout: FrameLayout
    private let channel: DecoderChannel
    private let mapping: MemoryMapping
    private var free: [Int]

    init(layout: FrameLayout, slots: Int, channel: DecoderChannel) throws(MediaError) {
        self.layout = layout
        self.channel = channel
        let memory = Descriptor(DecoderProcess.ChildDescriptor.memory)
        mapping = try MemoryMapping(
            memory, byteCount: slots * layout.slotBytes, protection: PROT_READ | PROT_WRITE)
        free = Array((0..<slots).reversed())
    }

    /// Waits for a free slot and fills it with the frame that was loaded. `false` where the server is gone.
    mutating func write(_ source: any PictureSource, index: Int, stamp: Int64) throws(MediaError) -> Bool {
        while free.isEmpty {
            guard case .message(.release(let slot)) = channel.receive() else { return false }
            free.append(slot)
        }
        let slot = free.removeLast()
        let base = mapping.address + slot * layout.slotBytes
        try source.write(to: base, layout: layout)
        return channel.send(.frame(index: index, slot: slot, pts: stamp), wait: true)
    }
}
