/// CVAT XML 1.1 for videos: a `<track>` for each target, with a `<box>` for every frame, `outside` where the target is
/// not seen, so that it can be corrected there (CVAT, "XML annotation format", version 1.1, interpolation mode).
///
/// CVAT shows a track's last box up to the end of the video, unless that is `outside`. So where the result ends before
/// the source does, a track ends with a box that is, on the frame after.
struct CVATTracks: ResultDocument {
    private let targets: [String]
    private let indices: [String: Int]
    private let provenance: ResultProvenance
    /// The last box of each target; not of one that is `outside` in the end.
    private var last: [(frame: Int, box: PixelBox)?]
    /// The last frame that is known to be there.
    private var lastFrame = -1

    init(targets: [String], provenance: ResultProvenance) {
        self.targets = targets
        self.provenance = provenance
        indices = Dictionary(zip(targets, 0...), uniquingKeysWith: { first, _ in first })
        last = Array(repeating: nil, count: targets.count)
    }

    var partCount: Int { targets.count }

    func begin(_ bytes: inout [UInt8]) {
        let (width, height) = provenance.frameSize
        bytes.append("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n")
        bytes.append("    <task>\n      <mode>interpolation</mode>\n      <original_size>\n        <width>")
        bytes.appendInteger(Int64(width))
        bytes.append("</width>\n        <height>")
        bytes.appendInteger(Int64(height))
        bytes.append("</height>\n      </original_size>\n      <labels>\n")
        for target in targets {
            bytes.append("        <label><name>")
            bytes.append(contentsOf: target.utf8)
            bytes.append("</name><attributes></attributes></label>\n")
        }
        bytes.append("      </labels>\n    </task>\n  </meta>\n")
    }

    /// Names need no escaping: an id has letters, digits, dots, dashes and underscores only.
    func beginPart(_ part: Int, _ bytes: inout [UInt8]) {
        bytes.append("  <track id=\"")
        bytes.appendInteger(Int64(part))
        bytes.append("\" label=\"")
        bytes.append(contentsOf: targets[part].utf8)
        bytes.append("\" source=\"auto\">\n")
    }

    mutating func append(_ record: FrameRecord, _ parts: inout [[UInt8]]) {
        lastFrame = max(lastFrame, record.frame)
        for target in record.targets {
            guard let index = indices[target.id] else { continue }
            last[index] = target.isSeen ? (record.frame, target.box) : nil
            Self.append(
                target.box, frame: record.frame, isOutside: !target.isSeen, isOccluded: target.state == .coasting,
                &parts[index])
        }
    }

    mutating func goesOn(at frame: Int) { lastFrame = max(lastFrame, frame) }

    mutating func endPart(_ part: Int, _ bytes: inout [UInt8]) {
        if let (frame, box) = last[part], frame < lastFrame || provenance.goesOn(after: frame) {
            Self.append(box, frame: frame + 1, isOutside: true, isOccluded: false, &bytes)
        }
        bytes.append("  </track>\n")
    }

    func end(_ bytes: inout [UInt8]) { bytes.append("</annotations>\n") }

    private static func append(
        _ box: PixelBox, frame: Int, isOutside: Bool, isOccluded: Bool, _ bytes: inout [UInt8]
    ) {
        bytes.append("    <box frame=\"")
        bytes.appendInteger(Int64(frame))
        bytes.append(isOutside ? "\" outside=\"1\"" : "\" outside=\"0\"")
        bytes.append(isOccluded ? " occluded=\"1\" keyframe=\"1\"" : " occluded=\"0\" keyframe=\"1\"")
        let corners: [(StaticString, Double)] = [
            (" xtl=\"", box.x), (" ytl=\"", box.y), (" xbr=\"", box.x + box.width), (" ybr=\"", box.y + box.height),
        ]
        for (name, value) in corners {
            bytes.append(name)
            bytes.appendDecimal(value, places: FrameRecord.pixelPlaces)
            bytes.append("\"")
        }
        bytes.append(" z_order=\"0\"></box>\n")
    }
}
