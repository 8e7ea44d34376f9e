import CLinux

/// The decoder's own work without its process, sandbox and ring: what these cost is measured against it. It decodes
/// whatever it is given in this process, so it is for files of one's own.
package enum InProcessDecoder {
    /// Decodes all frames of a video, each into the same memory. Returns how many there are.
    package static func decode(video path: String, color: Bool = false) throws(MediaError) -> Int {
        let (input, kind) = try MediaInput.video(path: path).open()
        guard case .video(let container) = kind else { throw MediaError(.undecodable, "it is no video") }
        var ends: [Int32] = [-1, -1]
        guard clinux_socket_pair(&ends) == 0 else { throw MediaError.system("cannot make a socket") }
        // Signs of life that nobody reads.
        let heartbeat = Heartbeat(channel: DecoderChannel(Descriptor(ends[0])))
        let reader = Descriptor(ends[1])
        defer { withExtendedLifetime(reader) {} }
        let source = try VideoPictures(input, container: container, limits: DecodeLimits(), heartbeat: heartbeat)
        guard let layout = FrameLayout(width: source.info.width, height: source.info.height, color: color) else {
            throw MediaError(.limitExceeded, "the frames are too large")
        }
        let slot = UnsafeMutableRawPointer.allocate(byteCount: layout.slotBytes, alignment: 64)
        defer { slot.deallocate() }
        var count = 0
        while try source.load(count) != nil {
            try source.write(to: slot, layout: layout)
            count += 1
        }
        return count
    }
}
