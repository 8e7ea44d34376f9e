/// A frame's record as one line of NDJSON. Numbers are rounded to what a tracker can know, so that the same track gives
/// the same bytes: boxes, corners, points and residual to 3 decimals, warps, times and scores to 6.
extension FrameRecord {
    /// Decimals of boxes, corners and points (pixels) and residuals (grey levels).
    static let pixelPlaces = 3
    /// Decimals of warps, seconds and scores.
    static let finePlaces = 6

    /// Appends the record as a JSON object and a line feed. A number that is not finite becomes `null`.
    public func appendLine(to bytes: inout [UInt8]) {
        appendObject(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Appends the record as a JSON object.
    ///
    /// - Parameter target: leaves other targets out; `nil`: all are written.
    func appendObject(to bytes: inout [UInt8], target: String? = nil) {
        bytes.append("{\"frame\":")
        bytes.appendInteger(Int64(frame))
        bytes.append(",\"pts\":")
        bytes.appendInteger(pts)
        bytes.append(",\"time\":")
        bytes.appendDecimal(time, places: Self.finePlaces)
        bytes.append(",\"targets\":[")
        var isFirst = true
        for record in targets where target == nil || record.id == target {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            record.append(to: &bytes)
        }
        bytes.append("]}")
    }

    /// The frame's number in a line that ``appendLine(to:)`` wrote, found without reading the rest; `nil` where it is
    /// none.
    package static func frame(ofLine line: some Collection<UInt8>) -> Int? {
        let start: StaticString = "{\"frame\":"
        let isRecord = start.withUTF8Buffer { line.starts(with: $0) }
        guard isRecord else { return nil }
        var (number, digits) = (0, 0)
        for byte in line.dropFirst(start.utf8CodeUnitCount) {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else {
                return digits > 0 && byte == UInt8(ascii: ",") ? number : nil
            }
            digits += 1
            guard digits <= 18 else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return nil
    }

    /// Reads a line that ``appendLine(to:)`` wrote, with or without its line feed; `null` numbers become NaN, but for
    /// the time, which every frame has.
    public init(line: some Collection<UInt8>) throws(JSONError) {
        let json = try JSONValue(parsing: line, maximumBytes: .max)
        guard let frame = json["frame"]?.intValue, frame >= 0,
            let pts = json["pts"]?.doubleValue.flatMap(Int64.init(exactly:)), let time = json["time"]?.doubleValue,
            let elements = json["targets"]?.arrayValue
        else { throw JSONError("is not a frame's record") }
        var targets: [TargetRecord] = []
        targets.reserveCapacity(elements.count)
        for element in elements { targets.append(try TargetRecord(element)) }
        self.init(frame: frame, pts: pts, time: time, targets: targets)
    }
}

extension TargetRecord {
    fileprivate func append(to bytes: inout [UInt8]) {
        bytes.append("{\"id\":")
        bytes.appendJSONString(id)
        bytes.append(",\"box\":[")
        bytes.appendList([box.x, box.y, box.width, box.height], places: FrameRecord.pixelPlaces)
        bytes.append("],\"quad\":[")
        bytes.appendList(quad, places: FrameRecord.pixelPlaces)
        bytes.append("],\"affine\":[")
        bytes.appendList(affine, places: FrameRecord.finePlaces)
        bytes.append("],\"state\":\"")
        bytes.append(contentsOf: state.rawValue.utf8)
        bytes.append("\",\"confidence\":")
        bytes.appendDecimal(confidence, places: FrameRecord.finePlaces)
        bytes.append(",\"zncc\":")
        bytes.appendDecimal(zncc, places: FrameRecord.finePlaces)
        bytes.append(",\"residual\":")
        bytes.appendDecimal(residual, places: FrameRecord.pixelPlaces)
        bytes.append(",\"iterations\":")
        bytes.appendInteger(Int64(iterations))
        bytes.append(isKeyframe ? ",\"keyframe\":true" : ",\"keyframe\":false")
        bytes.appendMember("peak_ratio", peakRatio, places: FrameRecord.finePlaces)
        bytes.appendMember("forward_backward", forwardBackward, places: FrameRecord.pixelPlaces)
        if let points {
            bytes.append(",\"points\":[")
            for (index, point) in points.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                point.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        }
        bytes.append(UInt8(ascii: "}"))
    }

    fileprivate init(_ json: JSONValue) throws(JSONError) {
        guard let id = json["id"]?.stringValue, let box = json["box"]?.decimals, box.count == 4,
            let quad = json["quad"]?.decimals, let affine = json["affine"]?.decimals,
            let state = json["state"]?.stringValue.flatMap(State.init(rawValue:)),
            let confidence = json["confidence"]?.decimal, let zncc = json["zncc"]?.decimal,
            let residual = json["residual"]?.decimal, let iterations = json["iterations"]?.intValue,
            let isKeyframe = json["keyframe"]?.boolValue
        else { throw JSONError("is not a target's record") }
        var points: [PointRecord]?
        if let elements = json["points"]?.arrayValue {
            points = []
            for element in elements { points?.append(try PointRecord(element)) }
        }
        self.init(
            id: id, box: PixelBox(x: box[0], y: box[1], width: box[2], height: box[3]), quad: quad, affine: affine,
            state: state, confidence: confidence, zncc: zncc, residual: residual, iterations: iterations,
            isKeyframe: isKeyframe, points: points, peakRatio: json["peak_ratio"]?.decimal,
            forwardBackward: json["forward_backward"]?.decimal)
    }
}

extension PointRecord {
    /// Appends the point as a JSON object.
    public func append(to bytes: inout [UInt8]) {
        bytes.append("{\"x\":")
        bytes.appendDecimal(position.x, places: FrameRecord.pixelPlaces)
        bytes.appendMember("y", position.y, places: FrameRecord.pixelPlaces)
        bytes.appendMember("dx", dx, places: FrameRecord.pixelPlaces)
        bytes.appendMember("dy", dy, places: FrameRecord.pixelPlaces)
        bytes.appendMember("forward_backward", forwardBackward, places: FrameRecord.pixelPlaces)
        bytes.append(",\"state\":\"")
        bytes.append(contentsOf: state.rawValue.utf8)
        bytes.append("\"}")
    }

    fileprivate init(_ json: JSONValue) throws(JSONError) {
        guard let x = json["x"]?.decimal, let y = json["y"]?.decimal, let dx = json["dx"]?.decimal,
            let dy = json["dy"]?.decimal, let state = json["state"]?.stringValue.flatMap(State.init(rawValue:))
        else { throw JSONError("is not a point's record") }
        self.init(
            position: PixelPoint(x: x, y: y), dx: dx, dy: dy, forwardBackward: json["forward_backward"]?.decimal,
            state: state)
    }
}

extension JSONValue {
    /// A number, NaN for `null`.
    fileprivate var decimal: Double? { isNull ? .nan : doubleValue }

    fileprivate var decimals: [Double]? {
        guard let elements = arrayValue else { return nil }
        let numbers = elements.compactMap(\.decimal)
        return numbers.count == elements.count ? numbers : nil
    }
}

extension [UInt8] {
    /// Appends a further member of an object; nothing where it is `nil`.
    fileprivate mutating func appendMember(_ name: StaticString, _ value: Double?, places: Int) {
        guard let value else { return }
        append(",\"")
        append(name)
        append("\":")
        appendDecimal(value, places: places)
    }

    /// Appends numbers with commas between.
    mutating func appendList(_ values: [Double], places: Int) {
        for (index, value) in values.enumerated() {
            if index > 0 { append(UInt8(ascii: ",")) }
            appendDecimal(value, places: places)
        }
    }
}
