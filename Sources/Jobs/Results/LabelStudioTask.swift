/// A task of Label Studio with a prediction: a `videorectangle` for each target, whose `sequence` holds every frame in
/// which it is seen, in percent of the picture. Frames count from 1.
///
/// Label Studio shows a region from one element of the sequence to the next; one whose `enabled` is false is the last
/// of a stretch, and is itself shown (its editor's `VideoRegion.isInLifespan`). So frames in which a target is not seen
/// have no element, and the frame before them is not enabled. Boxes are cut off at the picture's edges, beyond which
/// Label Studio has no coordinates.
struct LabelStudioTask: ResultDocument {
    /// What is known of a target so far.
    private struct Region {
        var isFirst = true
        /// Written when it is known whether the target is seen in the next frame.
        var waiting: (frame: Int64, time: Double, box: PixelBox)?
    }

    private let targets: [String]
    private let indices: [String: Int]
    private let provenance: ResultProvenance
    private let width, height: Double
    private var frames: Int64 = 0
    private var duration = 0.0
    private var regions: [Region]

    init(targets: [String], provenance: ResultProvenance) {
        self.targets = targets
        self.provenance = provenance
        indices = Dictionary(zip(targets, 0...), uniquingKeysWith: { first, _ in first })
        let size = provenance.frameSize
        (width, height) = (Double(max(size.width, 1)), Double(max(size.height, 1)))
        regions = Array(repeating: Region(), count: targets.count)
    }

    var partCount: Int { targets.count }

    func begin(_ bytes: inout [UInt8]) {
        bytes.append("[{\"data\":{\"video\":")
        bytes.appendJSONString(provenance.job.map { "/v1/jobs/\($0)/source" } ?? "video")
        bytes.append("},\"predictions\":[{\"model_version\":")
        bytes.appendJSONString("lktrack \(provenance.version)")
        bytes.append(",\"result\":[")
    }

    func beginPart(_ part: Int, _ bytes: inout [UInt8]) {
        bytes.append(part == 0 ? "\n{\"id\":" : ",\n{\"id\":")
        bytes.appendJSONString(targets[part])
        bytes.append(",\"type\":\"videorectangle\",\"from_name\":\"box\",\"to_name\":\"video\",\"value\":{\"labels\":[")
        bytes.appendJSONString(targets[part])
        bytes.append("],\"sequence\":[")
    }

    mutating func append(_ record: FrameRecord, _ parts: inout [[UInt8]]) {
        (frames, duration) = (Int64(record.frame) + 1, record.time + provenance.frameDuration)
        for target in record.targets where target.isSeen {
            guard let index = indices[target.id] else { continue }
            appendWaiting(index, isSeenNext: true, &parts[index])
            regions[index].waiting = (frames, record.time, target.box.stored)
        }
        for index in regions.indices where regions[index].waiting.map({ $0.frame < frames }) == true {
            appendWaiting(index, isSeenNext: false, &parts[index])
        }
    }

    mutating func endPart(_ part: Int, _ bytes: inout [UInt8]) {
        appendWaiting(part, isSeenNext: false, &bytes)
        bytes.append("],\"framesCount\":")
        bytes.appendInteger(frames)
        bytes.append(",\"duration\":")
        bytes.appendDecimal(duration, places: FrameRecord.finePlaces)
        bytes.append("}}")
    }

    func end(_ bytes: inout [UInt8]) { bytes.append("\n]}]}]\n") }

    private mutating func appendWaiting(_ index: Int, isSeenNext: Bool, _ bytes: inout [UInt8]) {
        guard let (frame, time, box) = regions[index].waiting else { return }
        regions[index].waiting = nil
        bytes.append(regions[index].isFirst ? "\n{\"frame\":" : ",\n{\"frame\":")
        regions[index].isFirst = false
        bytes.appendInteger(frame)
        bytes.append(isSeenNext ? ",\"enabled\":true,\"rotation\":0" : ",\"enabled\":false,\"rotation\":0")
        let horizontal = Self.percent(from: box.x, to: box.x + box.width, of: width)
        let vertical = Self.percent(from: box.y, to: box.y + box.height, of: height)
        let values: [(StaticString, Double)] = [
            (",\"x\":", horizontal.start), (",\"y\":", vertical.start), (",\"width\":", horizontal.length),
            (",\"height\":", vertical.length), (",\"time\":", time),
        ]
        for (name, value) in values {
            bytes.append(name)
            bytes.appendDecimal(value, places: FrameRecord.finePlaces)
        }
        bytes.append("}")
    }

    private static func percent(from: Double, to: Double, of side: Double) -> (start: Double, length: Double) {
        func cut(_ value: Double) -> Double { 100 * min(max(value, 0), side) / side }
        return (cut(from), cut(to) - cut(from))
    }
}
