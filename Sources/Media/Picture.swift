import CVBridge

/// The picture that was decoded last, in the bridge's memory.
final class Picture {
    let handle: OpaquePointer

    init() throws(MediaError) {
        var handle: OpaquePointer?
        try Bridge.check("cannot keep a picture", code: .system) { cvb_picture_create(&handle, $0) }
        guard let handle else { throw MediaError(.system, "cannot keep a picture") }
        self.handle = handle
    }

    deinit { cvb_picture_destroy(handle) }

    /// Loads what image files are decoded with.
    static func loadLibraries() throws(MediaError) {
        try Bridge.check("cannot load OpenCV's image files", code: .system) { cvb_load_image_files($0) }
    }

    var width: Int { Int(cvb_picture_width(handle)) }
    var height: Int { Int(cvb_picture_height(handle)) }
    /// Whether any pixel is not grey.
    var isColor: Bool { cvb_picture_is_color(handle) }

    /// Writes the planes that the layout has.
    func write(to base: UnsafeMutableRawPointer, layout: FrameLayout, frame: Int) throws(MediaError) {
        let (gray, color) = layout.views(base)
        try Bridge.check("frame \(frame) cannot be converted", frame: frame) {
            cvb_picture_write(handle, gray, color, $0)
        }
    }
}

extension FrameLayout {
    /// A slot's planes as C sees them; `color` has no pixels where the layout has none.
    func views(_ base: UnsafeMutableRawPointer) -> (gray: cvb_view, color: cvb_view) {
        func view(offset: Int, channels: Int32, bytesPerRow: Int) -> cvb_view {
            cvb_view(
                pixels: (base + offset).assumingMemoryBound(to: UInt8.self), width: Int32(width),
                height: Int32(height), channels: channels, bytes_per_row: bytesPerRow)
        }
        return (
            view(offset: 0, channels: 1, bytesPerRow: grayBytesPerRow),
            hasColor ? view(offset: colorOffset, channels: 3, bytesPerRow: colorBytesPerRow) : cvb_view()
        )
    }
}

/// What a decoder process reads pictures from.
protocol PictureSource: AnyObject {
    var info: SourceInfo { get }
    /// Decodes frame `index`, not before an earlier call's, and returns its time stamp; `nil` where there is none.
    func load(_ index: Int) throws(MediaError) -> Int64?
    /// Writes the frame that was loaded last to a slot, the planes that the layout has.
    func write(to base: UnsafeMutableRawPointer, layout: FrameLayout) throws(MediaError)
}

enum PictureSourceFactory {
    /// Opens the descriptors that the process was given.
    static func open(_ task: DecoderTask, heartbeat: Heartbeat) throws(MediaError) -> any PictureSource {
        let input = Descriptor(DecoderProcess.ChildDescriptor.input)
        let limits = task.request.limits
        switch task.kind {
        case .video(let container):
            return try VideoPictures(input, container: container, limits: limits, heartbeat: heartbeat)
        case .archive(let format):
            let spool = Descriptor(DecoderProcess.ChildDescriptor.spool)
            let files = try ArchiveFiles(
                input, format: format, spool: spool, limits: limits, heartbeat: heartbeat)
            return try ImagePictures(files, limits: limits)
        case .folder:
            return try ImagePictures(try FolderFiles(input, limits: limits), limits: limits)
        case .image:
            return try ImagePictures(OneImageFile(input), limits: limits)
        }
    }
}
