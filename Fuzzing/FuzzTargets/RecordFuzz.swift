import Jobs

/// Stored lines, a record each, and the formats that are made of them: which one the input's length tells, because all of
/// them at once leave a tenth of the executions.
enum RecordFuzz {
    static func run(_ bytes: [UInt8]) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        var records: [FrameRecord] = []
        for line in lines {
            guard let record = try? FrameRecord(line: line) else { continue }
            check(record)
            records.append(record)
        }
        let formats = ResultFormat.allCases
        convert(records, lines, to: formats[bytes.count % formats.count])
    }

    private static func check(_ record: FrameRecord) {
        var stored: [UInt8] = []
        record.appendLine(to: &stored)
        precondition(FrameRecord.frame(ofLine: stored) == record.frame, "a frame is not found by its number")
        guard let again = try? FrameRecord(line: stored) else { preconditionFailure("a record is not read as stored") }
        var restored: [UInt8] = []
        again.appendLine(to: &restored)
        precondition(stored == restored, "a record that was read is stored as another")
    }

    private static func convert(_ records: [FrameRecord], _ lines: [ArraySlice<UInt8>], to format: ResultFormat) {
        guard var encoder = encoder(format), var piecewise = Self.encoder(format, ResultSlice(from: 1, target: "a"))
        else {
            return
        }
        var whole: [UInt8] = []
        encoder.begin(into: &whole)
        for record in records { encoder.append(record, into: &whole) }
        encoder.end(into: &whole)
        switch format {
        case .json, .coco, .labelstudio:
            precondition((try? JSONValue(parsing: whole, maximumBytes: .max)) != nil, "a document that is no JSON")
        default: break
        }
        var slice: [UInt8] = []
        piecewise.begin(into: &slice)
        for line in lines { _ = try? piecewise.append(line: line, into: &slice) }
        piecewise.end(into: &slice)
    }

    private static func encoder(_ format: ResultFormat, _ slice: ResultSlice? = nil) -> ResultEncoder? {
        let box = PixelBox(x: 1, y: 2, width: 30, height: 40)
        let targets = ["a", "b"].map { TargetSpec(id: $0, box: box) }
        let provenance = ResultProvenance(version: "1", spec: JobSpec(targets: targets))
        let slice = slice ?? ResultSlice(target: format == .otb ? "a" : nil)
        return try? ResultEncoder(format: format, provenance: provenance, slice: slice)
    }
}
