import Jobs

extension [ServerEvent] {
    /// The lines of results that came.
    var frames: [String] { filter { $0.name == "frame" }.map(\.data) }

    /// `status` events as `running 1`.
    var states: [String] {
        filter { $0.name == "status" }.map {
            "\($0.json?["status"]?.stringValue ?? "?") \($0.json?["attempt"]?.intValue ?? -1)"
        }
    }
}

extension Lines {
    /// As they are in events: without their ends.
    static func texts(_ frames: Range<Int>) -> [String] {
        frames.map { String(decoding: frame($0).dropLast(), as: UTF8.self) }
    }
}
