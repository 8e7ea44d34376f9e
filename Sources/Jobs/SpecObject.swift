/// A JSON object that a spec is read from. Each reading method answers with the value, or adds a problem and answers
/// with the default, so that one pass finds every problem.
struct SpecObject {
    let members: JSONObject
    let pointer: JSONPointer
    let problems: SpecProblems

    /// `nil`, with a problem, where the value is no object.
    init?(_ value: JSONValue, at pointer: JSONPointer, problems: SpecProblems) {
        guard let members = value.objectValue else {
            problems.add(pointer, "must be an object")
            return nil
        }
        self.members = members
        self.pointer = pointer
        self.problems = problems
    }

    /// Adds a problem for each member that is none of these, naming it.
    func refuseUnknown(except known: [String]) {
        for key in members.keys where !known.contains(key) {
            problems.add(pointer.appending(key), "unknown field; known here: \(known.joined(separator: ", "))")
        }
    }

    /// Adds a problem where a field of a later version is used.
    func refuseUnsupported(_ key: String, harmless: [JSONValue] = [.null]) {
        guard let value = members[key], !harmless.contains(value) else { return }
        problems.add(pointer.appending(key), "not supported by this version")
    }

    func integer(_ key: String, in range: ClosedRange<Int>, default fallback: Int) -> Int {
        guard let value = members[key] else { return fallback }
        guard let number = value.intValue, range.contains(number) else {
            problems.add(
                pointer.appending(key), "must be an integer from \(range.lowerBound) to \(range.upperBound)")
            return fallback
        }
        return number
    }

    /// `nil` where the field is absent or `null`.
    func optionalInteger(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = members[key], !value.isNull else { return nil }
        guard let number = value.intValue, range.contains(number) else {
            problems.add(
                pointer.appending(key), "must be null or an integer from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    func number(_ key: String, in range: ClosedRange<Double>, default fallback: Double) -> Double {
        guard let value = members[key] else { return fallback }
        guard let number = value.doubleValue, range.contains(number) else {
            problems.add(pointer.appending(key), "must be a number from \(text(range))")
            return fallback
        }
        return number
    }

    /// `nil` where the field is absent or `null`.
    func optionalNumber(_ key: String, in range: ClosedRange<Double>) -> Double? {
        guard let value = members[key], !value.isNull else { return nil }
        guard let number = value.doubleValue, range.contains(number) else {
            problems.add(pointer.appending(key), "must be null or a number from \(text(range))")
            return nil
        }
        return number
    }

    func choice<Choice>(_ key: String, default fallback: Choice) -> Choice
    where Choice: CaseIterable & RawRepresentable, Choice.RawValue == String {
        guard let value = members[key] else { return fallback }
        if let choice = value.stringValue.flatMap(Choice.init(rawValue:)) { return choice }
        problems.add(pointer.appending(key), "must be \(names(Choice.self))")
        return fallback
    }

    /// The object under a key; `nil` where it is absent, or is none (a problem).
    func object(_ key: String) -> SpecObject? {
        members[key].flatMap { SpecObject($0, at: pointer.appending(key), problems: problems) }
    }

    /// The same, where `null` is as good as absent.
    func optionalObject(_ key: String) -> SpecObject? { members[key]?.isNull == true ? nil : object(key) }

    private func names<Choice>(_: Choice.Type) -> String
    where Choice: CaseIterable & RawRepresentable, Choice.RawValue == String {
        Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
    }

    private func text(_ range: ClosedRange<Double>) -> String {
        var bytes: [UInt8] = []
        bytes.appendNumber(range.lowerBound)
        bytes.append(" to ")
        bytes.appendNumber(range.upperBound)
        return String(decoding: bytes, as: UTF8.self)
    }
}
