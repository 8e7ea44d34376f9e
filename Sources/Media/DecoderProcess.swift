import CLinux
import Glibc
import LucasKanade
import Synchronization

/// Frames that a process of its own decodes and hands over in shared memory, while the caller works on earlier ones.
///
/// Media come from anybody, and decoders have faults: this one may crash, hang or be taken over, and only this source
/// fails. Every number that comes from it is checked. It is given open files and no path, and it dies with this process.
///
/// A frame holds a slot of the ring until its images are gone. A caller may keep as many as it likes, but the last free
/// slot is never lent: frames are then copied, which is slower.
public final class DecoderProcess: FrameSource {
    public let info: SourceInfo

    private let child: ChildProcess
    private let channel: DecoderChannel
    private let ring: FrameRing
    private let request: DecodeRequest
    private let cancellation: MediaCancellation
    private let progress: Mutex<Progress>
    /// When its time is over.
    private let deadline: ContinuousClock.Instant

    private struct Progress {
        /// The index that the next frame must have.
        var next: Int
        var outcome: Outcome?
    }

    private enum Outcome {
        case end
        case failed(MediaError)
    }

    /// Starts a decoder and waits until it has opened the input.
    ///
    /// `cancellation` can stop the source from another thread even before this call returns. Throws any of
    /// ``MediaError/Code`` but `cannotWrite`.
    public static func open(
        _ input: MediaInput, request: DecodeRequest = DecodeRequest(), command: DecoderCommand = .current,
        cancellation: MediaCancellation = MediaCancellation()
    ) throws(MediaError) -> DecoderProcess {
        try check(request)
        let (source, kind) = try input.open()
        let memory = try Descriptor(checking: clinux_memfd_create("lktrack-frames"), "cannot make a memory file")
        let task = DecoderTask(kind: kind, request: request, tolerated: command.tolerated)
        let decoder = try StartedDecoder.forTask(task, command, descriptors: [source, memory, try input.openSpool()])
        let (child, channel) = (decoder.child, decoder.channel)
        DecoderCounts.noteStart()
        cancellation.onCancel { child.kill() }
        let deadline = ContinuousClock.now + .seconds(request.limits.seconds)
        // The next one is loaded when this one has been, so that they do not compete for a processor.
        defer { command.reserve?.fill(for: command, limits: request.limits) }
        do throws(MediaError) {
            let message = try receive(
                from: channel, child: child, frame: request.start, request: request, deadline: deadline,
                cancellation: cancellation)
            guard case .opened(let info) = message else { throw confused(frame: nil) }
            let ring = try FrameRing(memory: memory, layout: checked(info, request: request), channel: channel)
            channel.send(.ring(slots: ring.slotCount))
            return DecoderProcess(
                info: info, child: child, channel: channel, ring: ring, request: request, deadline: deadline,
                cancellation: cancellation)
        } catch {
            cancellation.onCancel(nil)
            child.end()
            DecoderCounts.note(error)
            throw error
        }
    }

    /// The decoder's descriptors, in the order in which they are passed.
    enum ChildDescriptor {
        static let socket: Int32 = 3
        static let input: Int32 = 4
        static let memory: Int32 = 5
        static let spool: Int32 = 6
    }

    private init(
        info: SourceInfo, child: ChildProcess, channel: DecoderChannel, ring: FrameRing, request: DecodeRequest,
        deadline: ContinuousClock.Instant, cancellation: MediaCancellation
    ) {
        self.info = info
        self.child = child
        self.channel = channel
        self.ring = ring
        self.request = request
        self.deadline = deadline
        self.cancellation = cancellation
        progress = Mutex(Progress(next: request.start))
    }

    deinit { close() }

    /// The decoder's process, for tests and logs.
    public var processIdentifier: Int32 { child.identifier }

    public func next() throws(MediaError) -> Frame? {
        let outcome = progress.withLock { $0.outcome }
        switch outcome {
        case .end: return nil
        case .failed(let error): throw error
        case nil: break
        }
        do throws(MediaError) {
            if let frame = try receiveFrame() { return frame }
            finish(.end)
            return nil
        } catch {
            DecoderCounts.note(error)
            finish(.failed(error))
            throw error
        }
    }

    public func cancel() { cancellation.cancel() }

    /// Ends the decoder and waits for its process. Frames that were handed out stay valid. Also done at the end, at an
    /// error and when the source goes away. Not at the same time as ``next()``.
    public func close() {
        cancellation.onCancel(nil)
        channel.close()
        child.end()
    }

    private func finish(_ outcome: Outcome) {
        progress.withLock { $0.outcome = outcome }
        close()
    }

    private func receiveFrame() throws(MediaError) -> Frame? {
        if cancellation.isCanceled { throw Self.canceled }
        let expected = progress.withLock { $0.next }
        let message = try Self.receive(
            from: channel, child: child, frame: expected, request: request, deadline: deadline,
            cancellation: cancellation)
        switch message {
        case .end: return nil
        case .frame(let index, let slot, let pts):
            let time = Double(pts) * Double(info.timeBase.numerator) / Double(info.timeBase.denominator)
            let isInRange = request.stop.map { index < $0 } ?? true
            guard index == expected, isInRange, index < request.limits.frames,
                let frame = ring.frame(slot: slot, index: index, pts: pts, time: time)
            else { throw Self.confused(frame: expected) }
            let (following, overflow) = index.addingReportingOverflow(request.step)
            progress.withLock { $0.next = overflow ? Int.max : following }
            return frame
        default: throw Self.confused(frame: expected)
        }
    }
}

extension DecoderProcess {
    /// The next message that is no mere sign of life. `frame` is the one that is awaited, for errors.
    private static func receive(
        from channel: DecoderChannel, child: ChildProcess, frame: Int, request: DecodeRequest,
        deadline: ContinuousClock.Instant, cancellation: MediaCancellation
    ) throws(MediaError) -> DecoderMessage {
        let limits = request.limits
        while true {
            let left = (deadline - ContinuousClock.now) / .seconds(1)
            switch channel.receive(seconds: min(limits.stallSeconds, left)) {
            case .message(.progress) where left > 0: continue
            case .message(.failed(let error)):
                if cancellation.isCanceled { throw canceled }
                throw error
            case .message(let message) where left > 0: return message
            case .garbage: throw confused(frame: frame)
            case .timeout where left > limits.stallSeconds:
                child.end()
                throw MediaError(
                    .decoderTimeout,
                    "the decoder made no progress for \(limits.stallSeconds) s at frame \(frame)", frame: frame)
            case .timeout, .message:
                child.end()
                throw MediaError(
                    .decoderTimeout,
                    "the decoder is not done after the \(limits.seconds) s that are allowed, at frame \(frame)",
                    frame: frame)
            case .closed:
                let signal = child.end()
                if cancellation.isCanceled { throw canceled }
                throw ended(by: signal, frame: frame)
            }
        }
    }

    private static func ended(by signal: Int32?, frame: Int) -> MediaError {
        if signal == SIGXCPU {
            return MediaError(
                .decoderTimeout, "the decoder took all the processor time that is allowed, at frame \(frame)",
                frame: frame)
        }
        let cause = signal.map { "was ended by signal \($0) (\(String(cString: strsignal($0))))" } ?? "ended"
        return MediaError(.decoderCrashed, "the decoder \(cause) at frame \(frame)", frame: frame)
    }

    private static func check(_ request: DecodeRequest) throws(MediaError) {
        guard request.start >= 0, request.step >= 1, request.stop.map({ $0 > request.start }) ?? true else {
            throw MediaError(
                .noFrames,
                "there is no frame in the range from \(request.start) to before "
                    + "\(request.stop.map(String.init) ?? "the end") in steps of \(request.step)")
        }
    }

    /// Refuses what no honest decoder says, and what passes a limit.
    package static func checked(_ info: SourceInfo, request: DecodeRequest) throws(MediaError) -> FrameLayout {
        guard let layout = FrameLayout(width: info.width, height: info.height, color: request.color),
            info.frameRate.isFinite, info.frameRate > 0, info.timeBase.numerator > 0, info.timeBase.denominator > 0,
            // A decoder refuses longer sources itself. Whoever counts with it relies on that.
            info.frameCount ?? 0 <= request.limits.frames
        else { throw confused(frame: nil) }
        guard info.width * info.height <= request.limits.pixels else {
            throw MediaError(
                .limitExceeded,
                "frames of \(info.width)x\(info.height) have more than the \(request.limits.pixels) pixels that are "
                    + "allowed")
        }
        return layout
    }

    private static var canceled: MediaError { MediaError(.canceled, "decoding was canceled") }

    private static func confused(frame: Int?) -> MediaError {
        MediaError(.decoderCrashed, "the decoder broke its protocol", frame: frame)
    }
}
