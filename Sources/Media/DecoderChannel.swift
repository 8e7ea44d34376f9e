import CLinux
import Glibc
import Synchronization

/// One end of the socket between the server and a decoder process.
///
/// Any thread may send; one receives and closes.
final class DecoderChannel: Sendable {
    /// `nil` once closed. The lock keeps a number from being used after it was closed and given to another file.
    private let descriptor: Mutex<Descriptor?>

    init(_ descriptor: Descriptor) { self.descriptor = Mutex(descriptor) }

    /// Sends a message. `wait` false: gives up where there is no room. Whether it was sent; the peer's end is seen by
    /// ``receive(timeout:)``.
    @discardableResult
    func send(_ message: DecoderMessage, wait: Bool = false) -> Bool {
        let bytes = message.encoded
        return descriptor.withLock { descriptor in
            guard let descriptor else { return false }
            return clinux_send(descriptor.number, bytes, bytes.count, wait) == 0
        }
    }

    /// Sends a message and gives the peer copies of descriptors. Whether it was sent: not where the peer is gone.
    func send(_ message: DecoderMessage, passing descriptors: [Descriptor]) -> Bool {
        let bytes = message.encoded
        let numbers = descriptors.map(\.number)
        return withExtendedLifetime(descriptors) {
            descriptor.withLock { descriptor in
                guard let descriptor else { return false }
                return clinux_send_descriptors(descriptor.number, bytes, bytes.count, numbers, numbers.count) == 0
            }
        }
    }

    enum Reception: Hashable {
        case message(DecoderMessage)
        /// The peer sent what is no message.
        case garbage
        case closed
        case timeout
    }

    /// Waits for the next message, `seconds` at most or, without a number, for as long as it takes.
    func receive(seconds: Double? = nil) -> Reception {
        guard let descriptor = descriptor.withLock({ $0 }) else { return .closed }
        guard waitForInput(descriptor.number, seconds: seconds) else { return .timeout }
        return withUnsafeTemporaryAllocation(byteCount: DecoderMessage.capacity, alignment: 8) { buffer in
            let count = clinux_receive(descriptor.number, buffer.baseAddress, buffer.count, true)
            return Self.reception(count, buffer)
        }
    }

    /// Waits for the next message for as long as it takes. Descriptors that come along take the places of those that
    /// this process has as `first` and the following.
    func receive(placingDescriptorsFrom first: Int32) -> Reception {
        guard let descriptor = descriptor.withLock({ $0 }) else { return .closed }
        return withUnsafeTemporaryAllocation(byteCount: DecoderMessage.capacity, alignment: 8) { buffer in
            var passed = [Int32](repeating: -1, count: Int(CLINUX_MOST_PASSED))
            var passedCount = 0
            let count = clinux_receive_descriptors(
                descriptor.number, buffer.baseAddress, buffer.count, &passed, &passedCount)
            let reception = Self.reception(count, buffer)
            for (place, number) in zip(first..., passed[..<passedCount]) {
                guard dup2(number, place) >= 0 else { return .closed }
                Glibc.close(number)
            }
            return reception
        }
    }

    /// What a call returned that receives; `errno` is that call's.
    private static func reception(_ count: Int, _ buffer: UnsafeMutableRawBufferPointer) -> Reception {
        if count == 0 || (count < 0 && errno != EMSGSIZE) { return .closed }
        guard count > 0, let message = DecoderMessage(decoding: buffer[..<count]) else { return .garbage }
        return .message(message)
    }

    func close() { descriptor.withLock { $0 = nil } }

    private func waitForInput(_ number: Int32, seconds: Double?) -> Bool {
        guard let seconds else { return true }
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(max(0, min(seconds, Self.longestWait)))
        while true {
            let left = (deadline - clock.now) / .milliseconds(1)
            var request = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            let ready = poll(&request, 1, Int32(max(0, left.rounded(.up))))
            if ready > 0 { return true }
            if ready == 0 || errno != EINTR { return false }
        }
    }

    /// What fits into poll(2)'s milliseconds.
    private static let longestWait = 1e6
}
