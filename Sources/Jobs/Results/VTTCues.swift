/// WebVTT with a cue for each frame, whose text is the frame's JSON: a metadata track that a `<video>` element fires in
/// step with what it shows (W3C WebVTT, section 1.4 "Metadata cues").
///
/// A cue lasts until the next frame, so it is written when that is known.
struct VTTCues: ResultDocument {
    private let target: String?
    private let frameDuration: Double
    private var waiting: FrameRecord?

    init(target: String?, provenance: ResultProvenance) {
        self.target = target
        frameDuration = provenance.frameDuration
    }

    var partCount: Int { 1 }

    func begin(_ bytes: inout [UInt8]) { bytes.append("WEBVTT\n") }

    func beginPart(_ part: Int, _ bytes: inout [UInt8]) {}

    mutating func append(_ record: FrameRecord, _ parts: inout [[UInt8]]) {
        if let waiting { appendCue(waiting, until: record.time, &parts[0]) }
        waiting = record
    }

    mutating func endPart(_ part: Int, _ bytes: inout [UInt8]) {
        if let waiting { appendCue(waiting, until: waiting.time + frameDuration, &bytes) }
        waiting = nil
    }

    func end(_ bytes: inout [UInt8]) {}

    private func appendCue(_ record: FrameRecord, until end: Double, _ bytes: inout [UInt8]) {
        let start = Self.milliseconds(record.time)
        bytes.append("\n")
        bytes.appendInteger(Int64(record.frame))
        bytes.append("\n")
        Self.append(start, &bytes)
        bytes.append(" --> ")
        // A cue ends after it starts, also where frames are closer than a millisecond.
        Self.append(max(Self.milliseconds(end), start + 1), &bytes)
        bytes.append("\n")
        record.appendObject(to: &bytes, target: target)
        bytes.append("\n")
    }

    private static func milliseconds(_ seconds: Double) -> Int64 {
        Int64((min(max(seconds, 0), 1e9) * 1000).rounded())
    }

    /// `hh:mm:ss.ttt`, with as many digits for the hours as they need.
    private static func append(_ milliseconds: Int64, _ bytes: inout [UInt8]) {
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(width - digits.count, 0)) + digits
        }
        let seconds = milliseconds / 1000
        let text =
            padded(seconds / 3600, 2) + ":" + padded(seconds / 60 % 60, 2) + ":" + padded(seconds % 60, 2) + "."
            + padded(milliseconds % 1000, 3)
        bytes.append(contentsOf: text.utf8)
    }
}
