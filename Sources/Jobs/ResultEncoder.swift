/// Which part of a result is wanted.
public struct ResultSlice: Hashable, Sendable {
    /// The first frame; `nil`: from the start.
    public var from: Int?
    /// The first frame that is left out; `nil`: to the end.
    public var to: Int?
    /// The only target; `nil`: all.
    public var target: String?

    public init(from: Int? = nil, to: Int? = nil, target: String? = nil) {
        self.from = from
        self.to = to
        self.target = target
    }

    func contains(frame: Int) -> Bool { frame >= from ?? .min && frame < to ?? .max }
}

/// What a JSON result says of where it comes from.
public struct ResultProvenance: Hashable, Sendable {
    /// Of the program that tracked.
    public var version: String
    /// `nil` where there is no job (the command line).
    public var job: JobID?
    public var source: JobSource?
    public var spec: JobSpec

    public init(version: String, job: JobID? = nil, source: JobSource? = nil, spec: JobSpec) {
        self.version = version
        self.job = job
        self.source = source
        self.spec = spec
    }
}

/// Writes frames in one of the formats, one by one, into a buffer that the caller empties as it likes.
///
/// Call ``begin(into:)`` once, then `append` for each frame in order, then ``end(into:)`` once. The bytes depend on
/// nothing but the arguments.
public struct ResultEncoder: Sendable {
    private let format: ResultFormat
    private let provenance: ResultProvenance
    private let slice: ResultSlice
    /// Number of each target in `mot`, from 1.
    private let numbers: [String: Int]
    /// The target of `otb`.
    private let singleTarget: String?
    private var isFirst = true

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
        }
    }

    /// A frame, where the slice holds it.
    public mutating func append(_ record: FrameRecord, into bytes: inout [UInt8]) {
        guard slice.contains(frame: record.frame) else { return }
        switch format {
        case .json:
            separate(&bytes)
            record.appendObject(to: &bytes, target: slice.target)
        case .ndjson:
            record.appendObject(to: &bytes, target: slice.target)
            bytes.append(UInt8(ascii: "\n"))
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

    /// A line of NDJSON as it is stored, which need not be taken apart where it goes out as it is.
    public mutating func append(line: some Collection<UInt8>, into bytes: inout [UInt8]) throws(JSONError) {
        let isWhole = slice.target == nil && slice.from == nil && slice.to == nil
        guard isWhole && (format == .json || format == .ndjson) else {
            return append(try FrameRecord(line: line), into: &bytes)
        }
        if format == .json { separate(&bytes) }
        bytes.append(contentsOf: line)
        if format == .ndjson { bytes.append(UInt8(ascii: "\n")) }
    }

    /// What stands after the last frame.
    public mutating func end(into bytes: inout [UInt8]) {
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
        let isSeen = target.state == .tracked || target.state == .coasting
        bytes.appendInteger(Int64(record.frame) + 1)
        bytes.append(UInt8(ascii: ","))
        bytes.appendInteger(Int64(numbers[target.id] ?? 0))
        bytes.append(UInt8(ascii: ","))
        let box = target.box
        bytes.appendList([box.x + 1, box.y + 1, box.width, box.height], places: FrameRecord.pixelPlaces)
        bytes.append(UInt8(ascii: ","))
        bytes.appendDecimal(isSeen ? target.confidence : 0, places: FrameRecord.finePlaces)
        bytes.append(",-1,-1,-1\n")
    }

    private func appendOTB(_ target: TargetRecord, _ bytes: inout [UInt8]) {
        guard target.id == singleTarget else { return }
        bytes.appendList(target.box.numbers, places: FrameRecord.pixelPlaces)
        bytes.append(UInt8(ascii: "\n"))
    }
}

extension PixelBox {
    fileprivate var numbers: [Double] { [x, y, width, height] }
}
