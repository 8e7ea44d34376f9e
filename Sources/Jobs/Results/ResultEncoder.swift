/// Writes frames in one of the formats, one by one, into a buffer that the caller empties as it likes.
///
/// Call ``begin(into:)`` once, then `append` for each frame in order, then ``end(into:)`` once. The bytes depend on
/// nothing but the arguments. Formats that write a target after the other keep all but the first until the end; who has
/// long results takes them out of memory meanwhile (``ResultStream``).
public struct ResultEncoder: Sendable {
    private let format: ResultFormat
    private let provenance: ResultProvenance
    package let slice: ResultSlice
    /// Number of each target in `mot`, from 1.
    private let numbers: [String: Int]
    /// The target of `otb`.
    private let singleTarget: String?
    private var isFirst = true
    /// The format, where a type of its own writes it.
    private var document: (any ResultDocument)?
    /// What there is of the document's parts. The first is always empty: it goes out as it is made.
    private var parts: [[UInt8]] = [[]]

    /// - Throws: ``JobsError/Code/unknownTarget`` where the slice names a target that the spec has not,
    ///   ``JobsError/Code/targetNeeded`` where the format holds one target and the spec has several.
    public init(format: ResultFormat, provenance: ResultProvenance, slice: ResultSlice = ResultSlice())
        throws(JobsError)
    {
        let ids = provenance.spec.targets.map(\.id)
        if let target = slice.target, !ids.contains(target) {
            throw JobsError(
                .unknownTarget, "the job has no target \"\(target)\"; it has \(ids.joined(separator: ", "))")
        }
        singleTarget = slice.target ?? (ids.count == 1 ? ids.first : nil)
        if format == .otb && singleTarget == nil {
            throw JobsError(
                .targetNeeded,
                "otb holds a single target and the job has \(ids.count); choose one with target=: "
                    + ids.joined(separator: ", "))
        }
        self.format = format
        self.provenance = provenance
        self.slice = slice
        numbers = Dictionary(zip(ids, 1...), uniquingKeysWith: { first, _ in first })
        let targets = slice.target.map { [$0] } ?? ids
        switch format {
        case .cvat: document = CVATTracks(targets: targets, provenance: provenance)
        case .coco: document = COCODocument(targets: targets, provenance: provenance)
        case .labelstudio: document = LabelStudioTask(targets: targets, provenance: provenance)
        case .vtt: document = VTTCues(target: slice.target, provenance: provenance)
        case .json, .ndjson, .csv, .otb, .mot: break
        }
        parts = Array(repeating: [], count: partCount)
    }

    /// Parts that stand one after the other; those after the first are held.
    var partCount: Int { document?.partCount ?? 1 }

    /// Of the parts after the first.
    var heldBytes: Int { parts.reduce(0) { $0 + $1.count } }

    /// Takes what there is of the parts, one after the other.
    mutating func takeHeld() -> [[UInt8]] {
        let held = parts
        parts = Array(repeating: [], count: held.count)
        return held
    }

    /// What stands before the first frame.
    public mutating func begin(into bytes: inout [UInt8]) {
        switch format {
        case .json:
            bytes.append("{\"version\":")
            bytes.appendJSONString(provenance.version)
            bytes.append(",\"job\":")
            (provenance.job.map { JSONValue.string($0.description) } ?? .null).append(to: &bytes)
            bytes.append(",\"source\":")
            (provenance.source.map(JobWriter.source) ?? .null).append(to: &bytes)
            bytes.append(",\"spec\":")
            SpecWriter.json(provenance.spec).append(to: &bytes)
            bytes.append(",\"frames\":[")
        case .csv: bytes.append(Self.csvHeader)
        case .ndjson, .otb, .mot: break
        case .cvat, .coco, .labelstudio, .vtt:
            document?.begin(&bytes)
            document?.beginPart(0, &bytes)
            for part in 1..<max(partCount, 1) { document?.beginPart(part, &parts[part]) }
        }
    }

    /// A frame, where the slice holds it.
    public mutating func append(_ record: FrameRecord, into bytes: inout [UInt8]) {
        guard slice.contains(frame: record.frame) else { return pass(record.frame) }
        switch format {
        case .json:
            separate(&bytes)
            record.appendObject(to: &bytes, target: slice.target)
        case .ndjson:
            record.appendObject(to: &bytes, target: slice.target)
            bytes.append(UInt8(ascii: "\n"))
        case .cvat, .coco, .labelstudio, .vtt:
            swap(&bytes, &parts[0])
            document?.append(record, &parts)
            swap(&bytes, &parts[0])
        case .csv, .mot, .otb:
            for target in record.targets where slice.target == nil || target.id == slice.target {
                switch format {
                case .csv: appendCSV(record, target, &bytes)
                case .mot: appendMOT(record, target, &bytes)
                default: appendOTB(target, &bytes)
                }
            }
        }
    }

    /// A line of NDJSON as it is stored, which need not be taken apart where it goes out as it is, or not at all.
    ///
    /// - Returns: whether further lines may be wanted: `false` for one that lies beyond the slice, and, where the format
    ///   has no use for what comes after that, for the slice's last.
    @discardableResult
    public mutating func append(line: some Collection<UInt8>, into bytes: inout [UInt8]) throws(JSONError) -> Bool {
        let frame = slice.from == nil && slice.to == nil ? nil : FrameRecord.frame(ofLine: line)
        if let frame, !slice.contains(frame: frame) {
            pass(frame)
            return slice.mayHold(framesFrom: frame)
        }
        if slice.target == nil, format == .json || format == .ndjson, frame != nil || slice == ResultSlice() {
            if format == .json { separate(&bytes) }
            bytes.append(contentsOf: line)
            if format == .ndjson { bytes.append(UInt8(ascii: "\n")) }
            return mayGoOn(after: frame)
        }
        append(try FrameRecord(line: line), into: &bytes)
        return mayGoOn(after: frame)
    }

    /// Whether lines after a frame of the slice may be wanted.
    private func mayGoOn(after frame: Int?) -> Bool {
        guard let frame, document == nil else { return true }
        return slice.mayHold(framesFrom: frame + provenance.spec.frameStep)
    }

    /// A frame outside of the slice.
    private mutating func pass(_ frame: Int) {
        if !slice.mayHold(framesFrom: frame) { document?.goesOn(at: frame) }
    }

    /// What stands after the last frame: the rest of the document.
    public mutating func end(into bytes: inout [UInt8]) {
        for part in 0..<partCount { endPart(part, into: &bytes) }
        endDocument(into: &bytes)
    }

    /// What is held of a part, and its end.
    mutating func endPart(_ part: Int, into bytes: inout [UInt8]) {
        bytes += parts[part]
        parts[part] = []
        document?.endPart(part, &bytes)
    }

    /// What stands after the last part.
    mutating func endDocument(into bytes: inout [UInt8]) {
        document?.end(&bytes)
        if format == .json { bytes.append("\n]}\n") }
    }

    // MARK: Rows

    private mutating func separate(_ bytes: inout [UInt8]) {
        bytes.append(isFirst ? "\n" : ",\n")
        isFirst = false
    }

    private static let csvHeader: StaticString = """
        frame,pts,time,target,x,y,width,height,state,confidence,zncc,residual,iterations,keyframe,\
        x1,y1,x2,y2,x3,y3,x4,y4,a,b,tx,c,d,ty,peak_ratio,forward_backward\n
        """

    private func appendCSV(_ record: FrameRecord, _ target: TargetRecord, _ bytes: inout [UInt8]) {
        let comma = UInt8(ascii: ",")
        bytes.appendInteger(Int64(record.frame))
        bytes.append(comma)
        bytes.appendInteger(record.pts)
        bytes.append(comma)
        bytes.appendDecimal(record.time, places: FrameRecord.finePlaces)
        bytes.append(comma)
        bytes.append(contentsOf: target.id.utf8)
        bytes.append(comma)
        bytes.appendList(target.box.numbers, places: FrameRecord.pixelPlaces)
        bytes.append(comma)
        bytes.append(contentsOf: target.state.rawValue.utf8)
        bytes.append(comma)
        bytes.appendList([target.confidence, target.zncc], places: FrameRecord.finePlaces)
        bytes.append(comma)
        bytes.appendDecimal(target.residual, places: FrameRecord.pixelPlaces)
        bytes.append(comma)
        bytes.appendInteger(Int64(target.iterations))
        bytes.append(target.isKeyframe ? ",true," : ",false,")
        bytes.appendList(target.quad, places: FrameRecord.pixelPlaces)
        bytes.append(comma)
        bytes.appendList(target.affine, places: FrameRecord.finePlaces)
        bytes.append(comma)
        if let ratio = target.peakRatio { bytes.appendDecimal(ratio, places: FrameRecord.finePlaces) }
        bytes.append(comma)
        if let error = target.forwardBackward { bytes.appendDecimal(error, places: FrameRecord.pixelPlaces) }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// `frame, id, left, top, width, height, conf, x, y, z`: frames and pixels count from 1, the last three are −1 in
    /// two dimensions. A lost target stays, with a confidence of 0, which the benchmark ignores.
    private func appendMOT(_ record: FrameRecord, _ target: TargetRecord, _ bytes: inout [UInt8]) {
        bytes.appendInteger(Int64(record.frame) + 1)
        bytes.append(UInt8(ascii: ","))
        bytes.appendInteger(Int64(numbers[target.id] ?? 0))
        bytes.append(UInt8(ascii: ","))
        let box = target.box
        bytes.appendList([box.x + 1, box.y + 1, box.width, box.height], places: FrameRecord.pixelPlaces)
        bytes.append(UInt8(ascii: ","))
        bytes.appendDecimal(target.isSeen ? target.confidence : 0, places: FrameRecord.finePlaces)
        bytes.append(",-1,-1,-1\n")
    }

    private func appendOTB(_ target: TargetRecord, _ bytes: inout [UInt8]) {
        guard target.id == singleTarget else { return }
        bytes.appendList(target.box.numbers, places: FrameRecord.pixelPlaces)
        bytes.append(UInt8(ascii: "\n"))
    }
}

extension TargetRecord {
    /// Whether the target is where its box is, as far as anybody knows.
    public var isSeen: Bool { state == .tracked || state == .coasting }
}

extension PixelBox {
    fileprivate var numbers: [Double] { [x, y, width, height] }

    /// As a stored record has it, so that what is computed from it is the same before and after.
    var stored: PixelBox {
        func stored(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
        return PixelBox(x: stored(x), y: stored(y), width: stored(width), height: stored(height))
    }
}
