import CVBridge
import LucasKanade

/// Draws overlays.
public enum Annotator {
    /// A frame's larger side at which lines are two pixels thick.
    private static let referenceSide = 720.0
    private static let lineThickness = 2.0
    private static let labelScale = 0.5

    /// A BGR copy of a frame (grey or BGR) with the overlays on it, later ones above.
    public static func draw(_ overlays: [Overlay], on frame: Image) throws(MediaError) -> Image {
        try Image.make(width: frame.width, height: frame.height, channels: 3) { target throws(MediaError) in
            frame.copyAsColor(to: target)
            let scale = max(0.75, Double(max(frame.width, frame.height)) / referenceSide)
            for overlay in overlays { try draw(overlay, on: target, scale: scale) }
        }
    }

    private static func draw(_ overlay: Overlay, on target: cvb_view, scale: Double) throws(MediaError) {
        let color = cvb_color(blue: overlay.color.blue, green: overlay.color.green, red: overlay.color.red)
        func line(_ points: [SIMD2<Double>], closed: Bool, dashed: Bool, thickness: Double) throws(MediaError) {
            let points = points.map { cvb_point(x: $0.x, y: $0.y) }
            try Bridge.check("cannot draw", code: .system) {
                cvb_draw_line(target, points, points.count, closed, dashed, color, thickness, $0)
            }
        }
        let thickness = lineThickness * scale
        try line(overlay.trail, closed: false, dashed: false, thickness: thickness / 2)
        try line(overlay.outline, closed: true, dashed: overlay.isDashed, thickness: thickness)
        guard let left = overlay.outline.map(\.x).min(), let top = overlay.outline.map(\.y).min() else { return }
        let ascii = String(overlay.label.map { $0.isASCII && !$0.isNewline ? $0 : "?" })
        try Bridge.check("cannot draw", code: .system) {
            cvb_draw_label(target, ascii, cvb_point(x: left, y: top - thickness), color, labelScale * scale, $0)
        }
    }
}

extension Image {
    /// Copies the pixels into a BGR view of the same size.
    fileprivate func copyAsColor(to target: cvb_view) {
        withBytes { source in
            for y in 0..<height {
                let row = target.pixels + y * target.bytes_per_row
                let start = y * bytesPerRow
                if channels == 3 {
                    UnsafeMutableRawPointer(row).copyMemory(
                        from: source.baseAddress! + start, byteCount: 3 * width)
                } else {
                    for x in 0..<width {
                        let value = source[start + x]
                        (row[3 * x], row[3 * x + 1], row[3 * x + 2]) = (value, value, value)
                    }
                }
            }
        }
    }
}
