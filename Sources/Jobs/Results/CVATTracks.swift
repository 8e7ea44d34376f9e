/// CVAT XML 1.1 for videos: a `<track>` for each target, with a `<box>` for every frame, `outside` where the target is
/// not seen, so that it can be corrected there (CVAT, "XML annotation format", version 1.1, interpolation mode).
///
/// A track is written after the other, so every target takes a pass over the frames.
struct CVATTracks: Sendable {
    private let targets: [String]
    private let width, height: Int

    init(targets: [String], provenance: ResultProvenance) {
        self.targets = targets
        (width, height) = provenance.frameSize
    }

    var passes: Int { targets.count }

    func begin(_ bytes: inout [UInt8]) {
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

    func beginPass(_ pass: Int, _ bytes: inout [UInt8]) {
        bytes.append("  <track id=\"")
        bytes.appendInteger(Int64(pass))
        bytes.append("\" label=\"")
        bytes.append(contentsOf: targets[pass].utf8)
        bytes.append("\" source=\"auto\">\n")
    }

    /// Names need no escaping: an id has letters, digits, dots, dashes and underscores only.
    func append(_ record: FrameRecord, pass: Int, _ bytes: inout [UInt8]) {
        guard let target = record.targets.first(where: { $0.id == targets[pass] }) else { return }
        let box = target.box
        bytes.append("    <box frame=\"")
        bytes.appendInteger(Int64(record.frame))
        bytes.append(target.isSeen ? "\" outside=\"0\"" : "\" outside=\"1\"")
        bytes.append(target.state == .coasting ? " occluded=\"1\" keyframe=\"1\"" : " occluded=\"0\" keyframe=\"1\"")
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

    func endPass(_ bytes: inout [UInt8]) { bytes.append("  </track>\n") }

    func end(_ bytes: inout [UInt8]) { bytes.append("</annotations>\n") }
}
