/// A task of Label Studio with a prediction: a `videorectangle` for each target, whose `sequence` holds every frame, in
/// percent of the picture. `enabled` is false from where a target is not seen; frames count from 1.
///
/// A target is written after the other, so each takes a pass over the frames.
struct LabelStudioTask: Sendable {
    private let targets: [String]
    private let provenance: ResultProvenance
    private let width, height: Double
    private var frames: Int64 = 0
    private var isFirst = true

    init(targets: [String], provenance: ResultProvenance) {
        self.targets = targets
        self.provenance = provenance
        let size = provenance.frameSize
        (width, height) = (Double(max(size.width, 1)), Double(max(size.height, 1)))
    }

    var passes: Int { targets.count }

    func begin(_ bytes: inout [UInt8]) {
        bytes.append("[{\"data\":{\"video\":")
        bytes.appendJSONString(provenance.job.map { "/v1/jobs/\($0)/source" } ?? "video")
        bytes.append("},\"predictions\":[{\"model_version\":")
        bytes.appendJSONString("lktrack \(provenance.version)")
        bytes.append(",\"result\":[")
    }

    mutating func beginPass(_ pass: Int, _ bytes: inout [UInt8]) {
        (frames, isFirst) = (0, true)
        bytes.append(pass == 0 ? "\n{\"id\":" : ",\n{\"id\":")
        bytes.appendJSONString(targets[pass])
        bytes.append(",\"type\":\"videorectangle\",\"from_name\":\"box\",\"to_name\":\"video\",\"value\":{\"labels\":[")
        bytes.appendJSONString(targets[pass])
        bytes.append("],\"sequence\":[")
    }

    mutating func append(_ record: FrameRecord, pass: Int, _ bytes: inout [UInt8]) {
        frames = max(frames, Int64(record.frame) + 1)
        guard let target = record.targets.first(where: { $0.id == targets[pass] }) else { return }
        let box = target.box.stored
        bytes.append(isFirst ? "\n{\"frame\":" : ",\n{\"frame\":")
        isFirst = false
        bytes.appendInteger(Int64(record.frame) + 1)
        bytes.append(target.isSeen ? ",\"enabled\":true,\"rotation\":0" : ",\"enabled\":false,\"rotation\":0")
        let values: [(StaticString, Double)] = [
            (",\"x\":", box.x / width), (",\"y\":", box.y / height), (",\"width\":", box.width / width),
            (",\"height\":", box.height / height),
        ]
        for (name, value) in values {
            bytes.append(name)
            bytes.appendDecimal(100 * value, places: FrameRecord.finePlaces)
        }
        bytes.append(",\"time\":")
        bytes.appendDecimal(record.time, places: FrameRecord.finePlaces)
        bytes.append("}")
    }

    func endPass(_ bytes: inout [UInt8]) {
        bytes.append("],\"framesCount\":")
        bytes.appendInteger(frames)
        bytes.append("}}")
    }

    func end(_ bytes: inout [UInt8]) { bytes.append("\n]}]}]\n") }
}
