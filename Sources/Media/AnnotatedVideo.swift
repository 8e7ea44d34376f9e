import LucasKanade

/// A source played again with its results drawn in.
public enum AnnotatedVideo {
    /// Encodes every frame that the source still has, with its overlays, and finishes the file.
    ///
    /// `overlays` is asked once a frame, in order. Frames keep their times in MP4. The source should be opened with
    /// ``DecodeRequest/color``, else the picture is grey. At an error nothing stays behind.
    public static func render(
        source: some FrameSource, encoder: VideoEncoder, overlays: (Frame) throws(MediaError) -> [Overlay]
    ) throws(MediaError) {
        do {
            while let frame = try source.next() {
                let picture = try Annotator.draw(try overlays(frame), on: frame.color ?? frame.gray)
                try encoder.append(picture, time: frame.time)
            }
            try encoder.finish()
        } catch {
            encoder.abort()
            throw error
        }
    }
}
