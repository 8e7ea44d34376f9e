/// The JSON in which stores keep what has no column of its own.
extension JobSource {
    /// As ``init(storedJSON:)`` reads it.
    public var storedJSON: JSONValue {
        var object = JobWriter.source(self).objectValue ?? JSONObject()
        object["blob_key"] = .string(blobKey)
        return .object(object)
    }

    /// - Throws: ``JobsError/Code/corrupt`` where a field is missing.
    public init(storedJSON json: JSONValue) throws(JobsError) {
        guard let kind = json["kind"]?.stringValue.flatMap(Kind.init(rawValue:)),
            let blobKey = json["blob_key"]?.stringValue, let bytes = json["bytes"]?.doubleValue,
            let count = Int64(exactly: bytes), let sha256 = json["sha256"]?.stringValue
        else { throw JobsError(.corrupt, "a stored job has a source that cannot be read") }
        self.init(
            kind: kind, blobKey: blobKey, bytes: count, sha256: sha256, fileName: json["file_name"]?.stringValue,
            width: json["width"]?.intValue, height: json["height"]?.intValue,
            frameRate: json["frame_rate"]?.doubleValue, codec: json["codec"]?.stringValue,
            frameCount: json["frame_count"]?.intValue)
    }
}

extension JobFailure {
    /// As ``init(storedJSON:)`` reads it; also a job's `error` in docs/http.md. `frame` and `pointer` only where it has
    /// them.
    public var storedJSON: JSONValue {
        var object = JSONObject([("code", .string(code.rawValue)), ("message", .string(message))])
        object["frame"] = frame.map { .int($0) }
        object["pointer"] = pointer.map { .string($0) }
        return .object(object)
    }

    /// - Throws: ``JobsError/Code/corrupt`` where a field is missing.
    public init(storedJSON json: JSONValue) throws(JobsError) {
        guard let code = json["code"]?.stringValue, let message = json["message"]?.stringValue else {
            throw JobsError(.corrupt, "a stored job has a failure that cannot be read")
        }
        self.init(
            code: Code(rawValue: code), message: message, frame: json["frame"]?.intValue,
            pointer: json["pointer"]?.stringValue)
    }
}

extension JSONValue {
    /// Reads what a store keeps as text.
    ///
    /// - Parameter what: names it in the error: `the stored job …`.
    /// - Throws: ``JobsError/Code/corrupt`` where it is no JSON.
    public init(storedText text: String, of what: String) throws(JobsError) {
        do throws(JSONError) {
            self = try JSONValue(parsing: text.utf8, maximumBytes: .max)
        } catch {
            throw JobsError(.corrupt, "\(what) cannot be read: \(error)")
        }
    }

    /// As ``init(storedText:of:)`` reads it.
    public var storedText: String { String(decoding: encoded(), as: UTF8.self) }
}

extension JobSource {
    /// Reads ``storedJSON`` as text. Of one that cannot be read this is what is so for every job: one job must not keep
    /// others from being claimed, listed or backed up, and can be canceled and deleted.
    public init(storedText text: String, of id: JobID) {
        if let json = try? JSONValue(storedText: text, of: "the source of the stored job \(id)"),
            let source = try? JobSource(storedJSON: json)
        {
            self = source
        } else {
            self.init(kind: .video, blobKey: id.sourceKey, bytes: 0, sha256: "")
        }
    }
}

extension JobFailure {
    /// Reads ``storedJSON`` as text. Of one that cannot be read it says that, as ``JobSource/init(storedText:of:)`` does.
    public init(storedText text: String, of id: JobID) {
        if let json = try? JSONValue(storedText: text, of: "the failure of the stored job \(id)"),
            let failure = try? JobFailure(storedJSON: json)
        {
            self = failure
        } else {
            self.init(code: .internalError, message: "what the job failed of cannot be read any more")
        }
    }
}

extension JobSpec {
    /// Reads what ``SpecWriter/storedJSON(_:)`` made, as text.
    ///
    /// - Throws: ``JobsError/Code/corrupt`` where it cannot be read.
    public init(storedText text: String, of id: JobID) throws(JobsError) {
        self = try LongTexts.inTurn(text.utf8.count) { () throws(JobsError) in
            try JobSpec(storedTextInTransaction: text, of: id)
        }
    }

    /// The same in a transaction, which must not wait for others' long texts: for as many as there can be writing
    /// transactions, which is one for each database.
    ///
    /// - Throws: ``JobsError/Code/corrupt`` where it cannot be read.
    public init(storedTextInTransaction text: String, of id: JobID) throws(JobsError) {
        let json = try JSONValue(storedText: text, of: "the stored job \(id)")
        do throws(SpecErrors) {
            self = try SpecReader.read(json)
        } catch {
            throw JobsError(.corrupt, "the spec of the stored job \(id) cannot be read: \(error)")
        }
    }

    /// As ``init(storedText:of:)`` reads it.
    public var storedText: String {
        LongTexts.inTurn(approximateTextBytes) { SpecWriter.storedJSON(self).storedText }
    }
}
