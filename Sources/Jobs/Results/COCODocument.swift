/// COCO-VID: COCO's JSON with `videos`, and for each annotation the `video_id` and the `instance_id` of its target. Frames
/// in which a target is not seen have no annotation of it.
///
/// The images are one part of it, the annotations another.
struct COCODocument: ResultDocument {
    private let targets: [String]
    private let indices: [String: Int]
    private let provenance: ResultProvenance
    private let width, height: Int
    /// Of the annotations; ids count from 1.
    private var lastID: Int64 = 0
    /// Of the images, and of the annotations.
    private var isFirst = [true, true]

    init(targets: [String], provenance: ResultProvenance) {
        self.targets = targets
        self.provenance = provenance
        indices = Dictionary(zip(targets, 0...), uniquingKeysWith: { first, _ in first })
        (width, height) = provenance.frameSize
    }

    var partCount: Int { 2 }

    func begin(_ bytes: inout [UInt8]) {
        bytes.append("{\"info\":{\"description\":")
        bytes.appendJSONString("lktrack \(provenance.version)")
        bytes.append("},\"videos\":[{\"id\":1,\"name\":")
        bytes.appendJSONString(provenance.job?.description ?? "video")
        appendSize(&bytes)
        bytes.append("}],\"categories\":[{\"id\":1,\"name\":\"target\"}],\"instances\":[")
        for (index, target) in targets.enumerated() {
            if index > 0 { bytes.append(",") }
            bytes.append("{\"id\":")
            bytes.appendInteger(Int64(index) + 1)
            bytes.append(",\"video_id\":1,\"category_id\":1,\"name\":")
            bytes.appendJSONString(target)
            bytes.append("}")
        }
        bytes.append("]")
    }

    func beginPart(_ part: Int, _ bytes: inout [UInt8]) {
        bytes.append(part == 0 ? ",\n\"images\":[" : ",\n\"annotations\":[")
    }

    mutating func append(_ record: FrameRecord, _ parts: inout [[UInt8]]) {
        appendImage(record, &parts[0])
        for target in record.targets where target.isSeen {
            guard let index = indices[target.id] else { continue }
            appendAnnotation(target, instance: Int64(index) + 1, image: Int64(record.frame) + 1, &parts[1])
        }
    }

    func endPart(_ part: Int, _ bytes: inout [UInt8]) { bytes.append("\n]") }

    func end(_ bytes: inout [UInt8]) { bytes.append("}\n") }

    private mutating func appendImage(_ record: FrameRecord, _ bytes: inout [UInt8]) {
        separate(0, &bytes)
        bytes.append("{\"id\":")
        bytes.appendInteger(Int64(record.frame) + 1)
        bytes.append(",\"video_id\":1,\"frame_id\":")
        bytes.appendInteger(Int64(record.frame))
        bytes.append(",\"file_name\":\"frames/")
        bytes.appendInteger(Int64(record.frame))
        bytes.append("\"")
        appendSize(&bytes)
        bytes.append("}")
    }

    private mutating func appendAnnotation(
        _ target: TargetRecord, instance: Int64, image: Int64, _ bytes: inout [UInt8]
    ) {
        separate(1, &bytes)
        lastID += 1
        bytes.append("{\"id\":")
        bytes.appendInteger(lastID)
        bytes.append(",\"image_id\":")
        bytes.appendInteger(image)
        bytes.append(",\"video_id\":1,\"category_id\":1,\"instance_id\":")
        bytes.appendInteger(instance)
        bytes.append(",\"bbox\":[")
        let box = target.box.stored
        bytes.appendList([box.x, box.y, box.width, box.height], places: FrameRecord.pixelPlaces)
        bytes.append("],\"area\":")
        bytes.appendDecimal(box.width * box.height, places: FrameRecord.pixelPlaces)
        bytes.append(",\"iscrowd\":0,\"score\":")
        bytes.appendDecimal(target.confidence, places: FrameRecord.finePlaces)
        bytes.append("}")
    }

    private func appendSize(_ bytes: inout [UInt8]) {
        bytes.append(",\"width\":")
        bytes.appendInteger(Int64(width))
        bytes.append(",\"height\":")
        bytes.appendInteger(Int64(height))
    }

    private mutating func separate(_ part: Int, _ bytes: inout [UInt8]) {
        bytes.append(isFirst[part] ? "\n" : ",\n")
        isFirst[part] = false
    }
}
