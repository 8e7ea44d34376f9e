import CLinux
import CVBridge
import Glibc
import LucasKanade
import Synchronization

/// Where a frame's planes lie in a slot of the ring.
package struct FrameLayout: Hashable {
    let width, height: Int
    let grayBytesPerRow, colorBytesPerRow: Int
    /// From the slot's start; the grey plane is at 0.
    let colorOffset: Int
    package let slotBytes: Int
    let hasColor: Bool

    /// Rows start at whole cache lines, slots at whole pages.
    private static let rowAlignment = 64
    private static let pageSize = 4096
    /// The longest side that FFmpeg and the usual image formats know.
    private static let longestSide = 1 << 20

    /// `nil` where no image can have that size.
    init?(width: Int, height: Int, color: Bool) {
        guard (1...Self.longestSide).contains(width), (1...Self.longestSide).contains(height) else { return nil }
        func roundUp(_ value: Int, to unit: Int) -> Int { (value + unit - 1) / unit * unit }
        self.width = width
        self.height = height
        hasColor = color
        grayBytesPerRow = roundUp(width, to: Self.rowAlignment)
        colorBytesPerRow = color ? roundUp(3 * width, to: Self.rowAlignment) : 0
        colorOffset = roundUp(height * grayBytesPerRow + Int(CVB_OVERRUN), to: Self.rowAlignment)
        slotBytes = roundUp(colorOffset + height * colorBytesPerRow + Int(CVB_OVERRUN), to: Self.pageSize)
    }

    /// Enough that decoding runs ahead of tracking, within a budget of memory.
    package var slotCount: Int { min(max(Self.ringBytes / slotBytes, Self.fewestSlots), Self.mostSlots) }

    private static let ringBytes = 64 << 20
    private static let fewestSlots = 4
    private static let mostSlots = 16
}

/// The server's side of the memory that frames come in.
///
/// The decoder may write to a slot while the server reads it, if it is hostile; what it cannot do is shrink the memory,
/// so the worst that comes of it are wrong pixels in its own job.
final class FrameRing: Sendable {
    let layout: FrameLayout
    let slotCount: Int
    private let mapping: MemoryMapping
    private let channel: DecoderChannel
    /// Slots that frames of the server hold.
    private let held = Mutex<Set<Int>>([])

    /// Gives the memory file its size for good and maps it.
    init(memory: Descriptor, layout: FrameLayout, channel: DecoderChannel) throws(MediaError) {
        self.layout = layout
        self.channel = channel
        slotCount = layout.slotCount
        let byteCount = slotCount * layout.slotBytes
        guard ftruncate(memory.number, off_t(byteCount)) == 0, clinux_seal_size(memory.number) == 0 else {
            throw MediaError.system("cannot get \(byteCount) bytes of memory for frames")
        }
        // The decoder holds the file too and could have changed its size before it was sealed.
        var status = stat()
        guard fstat(memory.number, &status) == 0, Int(status.st_size) == byteCount else {
            throw MediaError(.decoderCrashed, "the decoder changed the size of its memory")
        }
        mapping = try MemoryMapping(memory, byteCount: byteCount, protection: PROT_READ)
    }

    /// The frame in a slot; the slot is given back when the last of its images is gone. Where this would leave the
    /// decoder without a slot to write to, the frame is copied and the slot given back at once. `nil` where the slot
    /// is not one that the decoder may have filled.
    func frame(slot: Int, index: Int, pts: Int64, time: Double) -> Frame? {
        guard (0..<slotCount).contains(slot) else { return nil }
        let count = held.withLock { $0.insert(slot).inserted ? $0.count : nil }
        guard let count else { return nil }
        let lease = SlotLease(ring: self, slot: slot)
        let base = mapping.address + slot * layout.slotBytes
        let isLastFree = count == slotCount
        func image(offset: Int, channels: Int, bytesPerRow: Int) -> Image {
            let image = Image(
                base: UnsafeRawPointer(base + offset), width: layout.width, height: layout.height, channels: channels,
                bytesPerRow: bytesPerRow, release: { withExtendedLifetime(lease) {} })
            return isLastFree ? image.copied() : image
        }
        return Frame(
            index: index, pts: pts, time: time,
            gray: image(offset: 0, channels: 1, bytesPerRow: layout.grayBytesPerRow),
            color: layout.hasColor
                ? image(offset: layout.colorOffset, channels: 3, bytesPerRow: layout.colorBytesPerRow) : nil)
    }

    fileprivate func release(_ slot: Int) {
        held.withLock { _ = $0.remove(slot) }
        channel.send(.release(slot: slot))
    }
}

/// Shared by the images of one slot.
private final class SlotLease: Sendable {
    private let ring: FrameRing
    private let slot: Int

    init(ring: FrameRing, slot: Int) {
        self.ring = ring
        self.slot = slot
    }

    deinit { ring.release(slot) }
}

extension Image {
    /// An image of its own memory.
    fileprivate func copied() -> Image {
        withBytes { source in
            var pixels: [UInt8] = []
            pixels.reserveCapacity(width * height * channels)
            for row in 0..<height {
                pixels.append(contentsOf: source[(row * bytesPerRow)..<(row * bytesPerRow + width * channels)])
            }
            return Image(width: width, height: height, channels: channels, pixels: pixels)
        }
    }
}

/// Shared memory that is unmapped when its owner goes away.
///
/// `@unchecked Sendable`: only the address is kept; who writes and who reads is the ring's protocol.
final class MemoryMapping: @unchecked Sendable {
    let address: UnsafeMutableRawPointer
    private let byteCount: Int

    init(_ memory: Descriptor, byteCount: Int, protection: Int32) throws(MediaError) {
        let mapped = mmap(nil, byteCount, protection, MAP_SHARED, memory.number, 0)
        guard let mapped, mapped != MAP_FAILED else {
            throw MediaError.system("cannot map \(byteCount) bytes of memory for frames")
        }
        address = mapped
        self.byteCount = byteCount
    }

    deinit { munmap(address, byteCount) }
}
