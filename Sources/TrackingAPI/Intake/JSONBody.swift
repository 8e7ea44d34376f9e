import Jobs

/// A body that has to be a JSON object.
enum JSONBody {
    /// - Parameter content: what the object is to hold, for a client that sent something else.
    static func object(
        _ body: [UInt8], maximumBytes: Int, of content: String
    ) throws(Problem) -> JSONObject {
        do throws(JSONError) {
            let json = try JSONValue(parsing: body, maximumBytes: maximumBytes)
            if let object = json.objectValue { return object }
        } catch {
            throw Problem(.malformed, "The body is not JSON: \(error.description)")
        }
        throw .at("#", "The body must be an object: \(content).")
    }
}
