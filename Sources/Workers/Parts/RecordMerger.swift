import Jobs

/// Puts the records of a job's parts together, byte for byte as one worker that followed all targets writes them.
///
/// Each part has the same frames, unless it was stopped: after its end the others' targets are alone.
struct RecordMerger {
    private var parts: [BlobLines]
    /// What stands between a record's frame and times, which all parts agree on, and its targets.
    private static let targets = Array("\"targets\":[".utf8)
    private static let end = Array("]}".utf8)

    /// - Parameter readers: of NDJSON records, in the order of the targets.
    init(_ readers: [any BlobReader]) { parts = readers.map { BlobLines($0) } }

    /// The next frame's line, with its line feed; `nil` behind the last.
    ///
    /// - Throws: ``JobsError/Code/corrupt`` where the parts are not of the same frames, and the readers' errors.
    mutating func next() throws -> [UInt8]? {
        var line: [UInt8] = []
        for index in parts.indices {
            guard let record = try parts[index].next() else { continue }
            let (head, targets) = try Self.split(record)
            if line.isEmpty {
                line += head
            } else if !line.starts(with: head) {
                throw JobsError(.corrupt, "the parts of a job are not of the same frames")
            }
            if line.count > head.count && !targets.isEmpty { line.append(UInt8(ascii: ",")) }
            line += targets
        }
        guard !line.isEmpty else { return nil }
        line += Self.end
        line.append(UInt8(ascii: "\n"))
        return line
    }

    /// The length of the line that parts of one frame become, from the lengths of the lines that they are.
    ///
    /// - Throws: ``JobsError/Code/corrupt`` where a line is not a frame's record.
    static func mergedCount(of lines: some Sequence<[UInt8]>) throws(JobsError) -> Int {
        var (count, lists) = (0, 0)
        for line in lines {
            let (head, targets) = try split(line.dropLast())
            // One head and one end, and a comma between lists.
            if count == 0 { count = head.count + end.count + 1 }
            count += targets.count
            if !targets.isEmpty { lists += 1 }
        }
        return count + max(lists - 1, 0)
    }

    /// The head ends at the first list, because only numbers stand before it.
    private static func split(
        _ record: ArraySlice<UInt8>
    ) throws(JobsError) -> (head: ArraySlice<UInt8>, targets: ArraySlice<UInt8>) {
        guard let list = record.firstIndex(of: UInt8(ascii: "[")),
            record[...list].suffix(targets.count) == targets[...],
            record[(list + 1)...].count >= end.count, record.suffix(end.count) == end[...]
        else { throw JobsError(.corrupt, "a part of a job has a line that is not a frame's record") }
        return (record[...list], record[(list + 1)..<(record.endIndex - end.count)])
    }
}
