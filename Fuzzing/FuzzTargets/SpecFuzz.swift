import Jobs
import StreamSafe

/// What is accepted can be stored and read again, and is the same.
enum SpecFuzz {
    static func run(_ bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes) else { return }
        let again = try? JSONValue(parsing: json.encoded())
        precondition(again == json, "JSON is not read as it was written")
        check(json)
    }

    static func check(_ json: JSONValue) {
        do throws(SpecErrors) {
            let spec = try SpecReader.read(json)
            do throws(SpecErrors) {
                let stored = try SpecReader.read(SpecWriter.storedJSON(spec))
                precondition(stored == spec, "a spec is not read as it was stored")
            } catch {
                preconditionFailure("a stored spec is refused: \(error)")
            }
        } catch {
            precondition(!error.problems.isEmpty, "refused without a reason")
        }
    }
}

/// `name=value` a line.
enum FormFuzz {
    static func run(_ bytes: [UInt8]) {
        let fields = bytes.lines.map { $0.halves(at: "=") }
        // Others come to no form.
        guard fields.allSatisfy({ $0.name.isStreamSafe && $0.value.isStreamSafe }) else { return }
        guard let json = try? SpecForm.json(fields: fields, base: nil) else { return }
        SpecFuzz.check(json)
    }
}
